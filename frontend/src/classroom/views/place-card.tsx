import { Users } from "lucide";

import { groupAhead, mainOf } from "../rooms";
import { say, type View } from "./common";
import { Icon } from "./icon";

/** Beside what goes on: the group that one was given, or the way back to the main room. */
export function PlaceCard({ app, model }: View) {
  const { here, places } = model;
  const group = groupAhead(places, here?.id ?? "");
  const main = mainOf(places);
  const apart = here !== null && here.kind !== "main";
  if (group === undefined && !apart) return null;
  const text = group === undefined ? say(app, "room_here", { title: app.titleOf(here) }) : say(app, "room_given", { title: group.title });
  return (
    <p class="ask-line place-line" data-testid="place">
      <Icon of={Users} size={18} />
      <span class="place-text">{text}</span>
      {group !== undefined && (
        <button type="button" class="btn btn-sm btn-primary" data-testid="go-to-group" onClick={() => app.move(group.id)}>
          {say(app, "go_there")}
        </button>
      )}
      {group === undefined && main !== undefined && (
        <button type="button" class="btn btn-sm" data-testid="back-to-main" onClick={() => app.move(main.id)}>
          {say(app, "back_to_main")}
        </button>
      )}
    </p>
  );
}
