import { DoorOpen } from "lucide";
import { useEffect } from "preact/hooks";

import { say, type View } from "./common";
import { DeviceCheck } from "./device-check";
import { Icon } from "./icon";
import { Welcome } from "./welcome";

/** Before the room: the audience presses one button, who speaks looks at camera and microphone first. */
export function Check({ app, model }: View) {
  const speaks = app.page.data.me.role === "lecturer";
  useEffect(() => {
    if (speaks && model.captured === null) void app.preview();
  }, []);
  const opening = model.state.at === "opening";
  return (
    <Welcome app={app} model={model}>
      {app.host && <DeviceCheck app={app} model={model} />}
      <div class="gate-act gate-join">
        <button
          type="button"
          class="btn btn-primary btn-lg btn-block"
          data-testid="join"
          onClick={() => app.dispatch({ is: "join" })}
        >
          <Icon of={DoorOpen} />
          {say(app, "join")}
        </button>
        {!app.page.data.notice.given && <p class="gate-hint" data-testid="agree">{say(app, model.lecture.recording || app.page.data.lecture.recorded ? "agree_recorded" : "agree")}</p>}
        <p class="gate-hint">{opening ? say(app, "checking") : say(app, app.host ? "join_host_hint" : "join_hint")}</p>
      </div>
    </Welcome>
  );
}
