import { CircleCheck, UserCheck } from "lucide";

import { open } from "../checks";
import { readDuration } from "../clock";
import { say, useServerNow, type View } from "./common";
import { Icon } from "./icon";

/**
 * "Still here?": beside what goes on, never over it. It takes no focus and makes no sound; the live
 * region says it once, Alt+J answers from anywhere on the page.
 */
export function CheckCard({ app, model }: View) {
  const now = useServerNow(model);
  const { asked } = model;
  if (!open(asked, now)) return null;
  const left = readDuration(asked.check.closes_at - now);
  if (app.host) {
    return <p class="ask-line" data-testid="check-count">{say(app, "still_here_host", { count: String(asked.check.answered ?? 0), left })}</p>;
  }
  if (asked.done) {
    return <p class="ask-line" data-testid="check-done"><Icon of={CircleCheck} size={18} />{say(app, "still_here_thanks")}</p>;
  }
  return (
    <section class="ask" aria-labelledby="ask-title" data-testid="check">
      <div>
        <h2 id="ask-title">{say(app, "still_here")}</h2>
        <p>{say(app, "still_here_text")} <span class="ask-left">{say(app, "still_here_left", { left })}</span></p>
      </div>
      <button type="button" class="btn btn-primary" data-testid="check-answer" aria-keyshortcuts="Alt+J" onClick={() => void app.answerCheck()}>
        <Icon of={UserCheck} size={20} />
        {say(app, "still_here_yes")}
      </button>
    </section>
  );
}
