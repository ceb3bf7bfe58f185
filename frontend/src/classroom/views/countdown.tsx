import { useEffect } from "preact/hooks";

import { readDuration } from "../clock";
import { say, useServerNow, type View } from "./common";
import { DeviceCheck } from "./device-check";
import { Welcome } from "./welcome";

/** Too early: the time left, which ends in the room by itself. */
export function Countdown({ app, model }: View) {
  const now = useServerNow(model);
  const opensAt = model.state.at === "countdown" ? model.state.opensAt + model.offset : now;
  const left = opensAt - now;
  useEffect(() => {
    document.title = `${readDuration(left)} · ${app.page.data.lecture.title}`;
    return () => void (document.title = app.page.data.lecture.title);
  }, [left > 0 ? Math.ceil(left / 1000) : 0]);
  return (
    <Welcome app={app} model={model}>
      <section class="opens" aria-label={say(app, "opens_in")}>
        <p>{say(app, "opens_in")}</p>
        <p class="opens-time" role="timer" data-testid="countdown">{readDuration(left)}</p>
        <p class="gate-hint">{say(app, app.host ? "opens_host_hint" : "opens_hint")}</p>
      </section>
      {app.host && <DeviceCheck app={app} model={model} />}
    </Welcome>
  );
}
