import { CircleCheck, UserCheck } from "lucide";
import { useLayoutEffect, useState } from "preact/hooks";

import { open, share, type Check } from "../checks";
import { readDuration } from "../clock";
import { say, useServerNow, type View } from "./common";
import { Icon } from "./icon";

const THANKS_MS = 10_000;

/**
 * "Still here?": beside what goes on, never over it. It takes no focus and makes no sound; the live
 * region says it once, Alt+J answers from anywhere on the page.
 */
export function CheckCard({ app, model }: View) {
  const now = useServerNow(model);
  const { asked } = model;
  if (!open(asked, now)) return null;
  if (app.host) {
    return (
      <p class="ask-line" data-testid="check-count">
        <Icon of={UserCheck} size={18} />
        <span>{say(app, "still_here_host", { count: String(asked.check.answered ?? 0) })}</span>
        <Left app={app} ms={asked.check.closes_at - now} />
      </p>
    );
  }
  if (asked.done) return <Thanks key={asked.check.id} app={app} model={model} />;
  return <Question key={asked.check.id} app={app} model={model} check={asked.check} now={now} />;
}

function Question({ app, check, now }: View & { check: Check; now: number }) {
  const [since] = useState(check.asked_at ?? now);
  const closesAt = check.closes_at;
  // Whoever listens from another tab sees it in the title.
  useLayoutEffect(() => {
    const before = document.title;
    document.title = `${say(app, "still_here")} · ${before}`;
    return () => void (document.title = before);
  }, []);
  return (
    <section class="ask" aria-labelledby="ask-title" data-testid="check">
      <progress class="ask-time" aria-hidden="true" max={1} value={share(since, closesAt, now)} />
      <div class="ask-words">
        <h2 id="ask-title">{say(app, "still_here")}</h2>
        <Left app={app} ms={closesAt - now} />
        <p>{say(app, "still_here_text")}</p>
      </div>
      <button type="button" class="btn btn-primary" data-testid="check-answer" aria-keyshortcuts="Alt+J" onClick={() => void app.answerCheck()}>
        <Icon of={UserCheck} size={20} />
        {say(app, "still_here_yes")}
        <kbd class="ask-key" aria-hidden="true">Alt+J</kbd>
      </button>
    </section>
  );
}

function Left({ app, ms }: { app: View["app"]; ms: number }) {
  return <span class="ask-left" role="timer">{say(app, "still_here_left", { left: readDuration(ms) })}</span>;
}

/** Long enough to be read; then the room is as it was. */
function Thanks({ app, model }: View) {
  const now = useServerNow(model);
  const [since] = useState(now);
  if (now - since >= THANKS_MS) return null;
  return <p class="ask-line" data-testid="check-done"><Icon of={CircleCheck} size={18} />{say(app, "still_here_thanks")}</p>;
}
