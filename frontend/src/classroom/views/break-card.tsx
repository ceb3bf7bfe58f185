import { Coffee } from "lucide";

import { presentBreak } from "../breaks";
import { readDuration } from "../clock";
import { say, useServerNow, type View } from "./common";
import { Icon } from "./icon";

/** Beside what goes on, never over it: the live region has said it once, when the break began. */
export function BreakCard({ app, model }: View) {
  const now = useServerNow(model);
  const present = presentBreak(model.lecture.breaks, now);
  if (present === null) return null;
  return (
    <p class="ask-line" data-testid="break">
      <Icon of={Coffee} size={18} />
      <span>{say(app, "break_now")}</span>
      <span class="ask-left" role="timer">{say(app, "break_left", { left: readDuration(present[1] - now) })}</span>
    </p>
  );
}
