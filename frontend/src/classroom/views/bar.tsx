import { Camera, CameraOff, Ellipsis, Hand, MessageSquare, Mic, MicOff, ScreenShare, ScreenShareOff } from "lucide";
import type { IconNode } from "lucide";

import { Composer } from "./chat-panel";
import { say, type View } from "./common";
import { Icon } from "./icon";

interface ToolProps {
  icon: IconNode;
  label: string;
  testid: string;
  press: () => unknown;
  on?: boolean;
  keys?: string;
  badge?: number;
}

function Tool({ icon, label, testid, press, on, keys, badge = 0 }: ToolProps) {
  return (
    <button
      type="button"
      class={`btn btn-circle tool ${on ? "tool-on" : ""}`}
      data-testid={testid}
      aria-label={label}
      title={label}
      {...(on === undefined ? {} : { "aria-pressed": on })}
      {...(keys === undefined ? {} : { "aria-keyshortcuts": keys })}
      onClick={() => void press()}
    >
      <Icon of={icon} />
      {badge > 0 && <span class="tool-badge">{badge > 99 ? "99+" : badge}</span>}
    </button>
  );
}

/** One hand's reach: on an audience's phone the message field stands in the bar itself. */
export function Bar({ app, model, wide, more }: View & { wide: boolean; more: () => void }) {
  const { seen, panel, panelOpen, chat } = model;
  const writes = !wide && !seen.canPublish && panel === "chat";
  const sharing = seen.canShare && typeof navigator.mediaDevices?.getDisplayMedia === "function";
  return (
    <section class="bar" aria-label={say(app, "controls")}>
      {writes && <Composer app={app} model={model} />}
      {seen.canPublish && (
        <>
          <Tool icon={seen.microphone ? Mic : MicOff} label={say(app, seen.microphone ? "mute_self" : "unmute_self")} testid="microphone" press={app.toggleMicrophone} on={seen.microphone} keys="Alt+M" />
          <Tool icon={seen.camera ? Camera : CameraOff} label={say(app, seen.camera ? "camera_stop" : "camera_start")} testid="camera" press={app.toggleCamera} on={seen.camera} keys="Alt+V" />
        </>
      )}
      {sharing && (
        <Tool icon={seen.screen ? ScreenShareOff : ScreenShare} label={say(app, seen.screen ? "screen_stop" : "screen_start")} testid="screen" press={app.toggleScreen} on={seen.screen} />
      )}
      <Tool icon={Hand} label={say(app, app.handUp ? "hand_down" : "hand_up")} testid="hand-toggle" press={app.toggleHand} on={app.handUp} keys="Alt+H" />
      {wide && (
        <Tool icon={MessageSquare} label={say(app, "panel")} testid="panel-toggle" press={app.togglePanel} on={panelOpen} badge={panelOpen ? 0 : chat.unread} />
      )}
      <Tool icon={Ellipsis} label={say(app, "more")} testid="more" press={more} />
      <button type="button" class="btn btn-error bar-leave" data-testid="leave" onClick={app.leave}>{say(app, "leave")}</button>
    </section>
  );
}
