import { CalendarX, Clock, DoorClosed, Link, LoaderCircle, MonitorSmartphone, UserX, UsersRound, WifiOff } from "lucide";
import type { IconNode } from "lucide";
import { useEffect, useRef } from "preact/hooks";

import { nameOf } from "../machine";
import type { TextKey } from "../texts";
import { say, useServerNow, type View } from "./common";
import { Icon } from "./icon";

interface Words {
  icon: IconNode;
  title: TextKey;
  text: TextKey;
  /** The one thing the person can do: go (back) in, or try again now. */
  act?: TextKey;
}

const WORDS: Record<string, Words> = {
  joining: { icon: LoaderCircle, title: "joining", text: "joining_text" },
  preparing: { icon: Clock, title: "preparing", text: "preparing_text", act: "try_now" },
  media_away: { icon: Clock, title: "media_away", text: "media_away_text", act: "try_now" },
  offline: { icon: WifiOff, title: "offline", text: "offline_text", act: "try_now" },
  ended: { icon: DoorClosed, title: "ended", text: "ended_text" },
  cancelled: { icon: CalendarX, title: "cancelled", text: "cancelled_text" },
  removed: { icon: UserX, title: "removed", text: "removed_text" },
  not_registered: { icon: UserX, title: "not_registered", text: "not_registered_text" },
  full: { icon: UsersRound, title: "full", text: "full_text", act: "try_now" },
  no_session: { icon: Link, title: "no_session", text: "no_session_text" },
  elsewhere: { icon: MonitorSmartphone, title: "elsewhere", text: "elsewhere_text", act: "use_here" },
  left: { icon: DoorClosed, title: "left", text: "left_text", act: "join_again" },
};

export function StatePage({ app, model }: View) {
  const { state } = model;
  const name = nameOf(state);
  const words = WORDS[name];
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [name]);
  if (words === undefined) return null;
  return (
    <main class="gate gate-state" data-testid={`state-${name}`}>
      <span class={`gate-icon ${name === "joining" ? "turning" : ""}`}><Icon of={words.icon} size={32} /></span>
      <h1 ref={title} tabIndex={-1}>{say(app, words.title)}</h1>
      <p class="gate-sub">{say(app, words.text)}</p>
      {name === "cancelled" && model.lecture.reason !== "" && (
        <p class="gate-sub" data-testid="reason">{say(app, "cancelled_because", { reason: model.lecture.reason })}</p>
      )}
      <Retry app={app} model={model} />
      <div class="gate-act">
        {words.act && (
          <button
            type="button"
            class="btn btn-primary btn-lg btn-block"
            data-testid="again"
            onClick={() => app.dispatch({ is: "retry" })}
          >
            {say(app, words.act)}
          </button>
        )}
        {state.at === "closed" && <Onward app={app} model={model} />}
      </div>
      <p class="gate-foot">{app.page.data.lecture.title}</p>
    </main>
  );
}

/** Says that it goes on by itself, and when. */
function Retry({ app, model }: View) {
  const now = useServerNow(model) - model.offset;
  if (model.state.at !== "waiting") return null;
  const seconds = Math.max(0, Math.ceil((model.state.until - now) / 1000));
  return <p class="gate-hint">{seconds > 0 ? say(app, "retry_in", { seconds: String(seconds) }) : say(app, "retrying")}</p>;
}

function Onward({ app, model }: View) {
  const { links } = app.page.data;
  const over = model.state.at === "closed" && ["ended", "left"].includes(model.state.why);
  return (
    <>
      {over && <a class={`btn btn-block ${model.state.at === "closed" && model.state.why === "ended" ? "btn-primary btn-lg" : ""}`} data-testid="hours" href={links.hours}>{say(app, "own_hours")}</a>}
      {over && links.replay && <a class="btn btn-block" data-testid="replay" href={links.replay}>{say(app, "watch_replay")}</a>}
      <a class="btn btn-ghost btn-block" href={links.home}>{say(app, "to_home")}</a>
    </>
  );
}
