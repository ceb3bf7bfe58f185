import { DoorOpen } from "lucide";
import { useEffect } from "preact/hooks";

import { say, type View } from "./common";
import { DeviceCheck } from "./device-check";
import { Icon } from "./icon";
import { Welcome } from "./welcome";

/**
 * Before the room: what is kept is read first, and agreed to with the one button below it. Who speaks looks at
 * camera and microphone as well.
 */
export function Check({ app, model }: View) {
  const speaks = app.page.data.me.role === "lecturer";
  useEffect(() => {
    if (speaks && model.captured === null) void app.preview();
  }, []);
  const opening = model.state.at === "opening";
  const recorded = model.lecture.recording || app.page.data.lecture.recorded;
  const act = (
    <>
      <div class="gate-act gate-join">
        {!app.page.data.notice.given && <p class="gate-hint" data-testid="agree">{say(app, recorded ? "agree_recorded" : "agree")}</p>}
        <button
          type="button"
          class="btn btn-primary btn-lg btn-block"
          data-testid="join"
          onClick={() => app.dispatch({ is: "join" })}
        >
          <Icon of={DoorOpen} />
          {say(app, "join")}
        </button>
      </div>
      {app.page.data.links.stream && (
        <a class="btn btn-ghost btn-block" data-testid="stream" href={app.page.data.links.stream}>{say(app, "watch_stream")}</a>
      )}
      <p class="gate-hint">{opening ? say(app, "checking") : say(app, app.host ? "join_host_hint" : "join_hint")}</p>
    </>
  );
  return (
    <Welcome app={app} model={model} act={act}>
      {app.host && <DeviceCheck app={app} model={model} />}
    </Welcome>
  );
}
