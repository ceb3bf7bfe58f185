import { Hand as HandIcon, Mic, MicOff, UserX, Video } from "lucide";

import type { Hand } from "../hands";
import type { Person } from "../media";
import type { Confirm } from "./dialogs";
import { initialsOf, say, type View } from "./common";
import { Icon } from "./icon";

type Props = View & { confirm: (question: Confirm) => void };

export function PeoplePanel({ app, model, confirm }: Props) {
  const people = [...model.seen.people].sort(byRoleAndName);
  return (
    <div class="people" data-testid="people">
      {model.hands.length > 0 && (
        <section>
          <h2>{say(app, "hands")}</h2>
          <ol>{model.hands.map((hand) => <Raised key={hand.seat} app={app} model={model} hand={hand} />)}</ol>
        </section>
      )}
      <section>
        <h2>{say(app, "people_in_room")} <span class="badge badge-sm">{people.length}</span></h2>
        <ul>
          {people.map((person) => (
            <Row key={person.identity} app={app} model={model} person={person} confirm={confirm} />
          ))}
        </ul>
      </section>
    </div>
  );
}

function Raised({ app, hand }: View & { hand: Hand }) {
  return (
    <li class="attendee" data-testid="hand" data-seat={hand.seat}>
      <span class="attendee-hand"><Icon of={HandIcon} size={18} /></span>
      <span class="attendee-name">{hand.name}</span>
      {app.host && (
        <button type="button" class="btn btn-sm" data-testid="lower-hand" onClick={() => void app.lowerHand(hand.seat, hand.name)}>
          {say(app, "lower")}
        </button>
      )}
    </li>
  );
}

function Row({ app, person, confirm }: Props & { person: Person }) {
  const { name, seat } = person;
  const manages = app.host && !person.local && person.role === "participant";
  return (
    <li class="attendee" data-testid="person" data-seat={seat} data-speaking={String(person.speaking)}>
      <span class="avatar-small" aria-hidden="true">{initialsOf(name)}</span>
      <span class="attendee-name">
        {name}
        {person.local && <span> {say(app, "you_in_brackets")}</span>}
        {person.role === "lecturer" && <span class="attendee-role"> {say(app, "lecturer")}</span>}
        {person.role === "organiser" && <span class="attendee-role"> {say(app, "organiser")}</span>}
      </span>
      {person.camera && <Icon of={Video} size={16} />}
      {person.microphone && !manages && <Icon of={Mic} size={16} />}
      {person.microphone && manages && (
        <button
          type="button"
          class="btn btn-circle btn-icon"
          data-testid="mute"
          aria-label={say(app, "mute_person", { name })}
          title={say(app, "mute_person", { name })}
          onClick={() => void app.mute(seat)}
        >
          <Icon of={MicOff} size={16} />
        </button>
      )}
      {manages && (
        <button
          type="button"
          class="btn btn-circle btn-icon"
          data-testid="remove"
          aria-label={say(app, "remove_person", { name })}
          title={say(app, "remove_person", { name })}
          onClick={() =>
            confirm({
              title: say(app, "remove_person", { name }),
              text: say(app, "remove_text"),
              yes: say(app, "remove"),
              act: () => void app.remove(seat),
            })
          }
        >
          <Icon of={UserX} size={16} />
        </button>
      )}
    </li>
  );
}

const RANK: Record<string, number> = { lecturer: 0, organiser: 1 };
const byRoleAndName = (a: Person, b: Person): number =>
  (RANK[a.role] ?? 2) - (RANK[b.role] ?? 2) || a.name.localeCompare(b.name);
