import { SignalLow, UserCheck } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Panel } from "../app";
import { progress, readDuration } from "../clock";
import { beside, groupAhead } from "../rooms";
import { Bar } from "./bar";
import { BreakCard } from "./break-card";
import { CheckCard } from "./check-card";
import { ChatPanel, Composer } from "./chat-panel";
import { say, useMedia, useServerNow, type View } from "./common";
import { ConfirmDialog, MoreMenu, type Confirm } from "./dialogs";
import { Icon } from "./icon";
import { PeoplePanel } from "./people-panel";
import { PlaceCard } from "./place-card";
import { RoomsPanel } from "./rooms-panel";
import { Stage } from "./stage";

/** As in room.css. The least width matters: with its keyboard out, a phone held upright counts as landscape. */
const BESIDE = "(min-width: 60rem), (min-width: 34rem) and (orientation: landscape) and (max-height: 30rem)";

export function Room({ app, model }: View) {
  const wide = useMedia(BESIDE);
  const [question, ask] = useState<Confirm | null>(null);
  const [more, setMore] = useState(false);
  const panel = !wide || model.panelOpen;
  return (
    <div class={`room ${panel ? "" : "room-alone"}`}>
      <Header app={app} model={model} />
      <div class="stage-column">
        <Stage app={app} model={model} />
        <PlaceCard app={app} model={model} />
        <BreakCard app={app} model={model} />
        {model.asked !== null && <CheckCard app={app} model={model} />}
      </div>
      {panel && <Side app={app} model={model} wide={wide} confirm={ask} />}
      <Bar app={app} model={model} wide={wide} more={() => setMore(true)} />
      {more && <MoreMenu app={app} model={model} close={() => setMore(false)} confirm={ask} />}
      {question && <ConfirmDialog app={app} model={model} question={question} close={() => ask(null)} />}
    </div>
  );
}

function Header({ app, model }: View) {
  const title = useRef<HTMLHeadingElement>(null);
  // The button that was pressed is gone: reading goes on at the room's title.
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  return (
    <header class="room-head">
      {(app.page.data.lecture.recorded || model.lecture.recording) && (
        <span class="rec" data-testid="recording" data-recording={String(model.lecture.recording)} title={say(app, "recorded_notice")}>
          <span class="rec-dot" aria-hidden="true" />
          {say(app, "recording")}
        </span>
      )}
      <h1 ref={title} tabIndex={-1}>{app.page.data.lecture.title}</h1>
      {model.seen.weak && <span class="weak" role="img" aria-label={say(app, "weak_network")}><Icon of={SignalLow} size={18} /></span>}
      <Clock app={app} model={model} />
    </header>
  );
}

function Clock({ app, model }: View) {
  const left = model.lecture.endsAt - useServerNow(model);
  return (
    <time class="room-clock" role="timer" data-testid="clock" title={say(app, "time_left")} aria-label={say(app, "time_left")}>
      {readDuration(left)}
    </time>
  );
}

/** The own way to the JP; how far the lecture is for hosts, and where there is nothing to earn. */
function Progress({ app, model }: View) {
  const { standing } = model;
  if (standing === null || standing.text === "") return <LectureProgress app={app} model={model} />;
  return (
    <div class="line">
      <progress class="line-bar" max={standing.full_seconds || 1} value={standing.seconds} aria-label={say(app, "own_standing")} />
      <span data-testid="standing">{standing.minutes}</span>
      {standing.checks !== "" && (
        <span class="line-checks" role="img" aria-label={standing.checks} title={standing.checks} data-testid="standing-checks">
          <Icon of={UserCheck} size={16} />
          {standing.checks_answered}/{standing.checks_asked}
        </span>
      )}
    </div>
  );
}

function LectureProgress({ app, model }: View) {
  const { startsAt, endsAt } = model.lecture;
  const { gone, all } = progress(useServerNow(model), startsAt, endsAt);
  const text = say(app, "progress", { gone: String(gone), all: String(all), jp: app.page.data.lecture.jp });
  return (
    <div class="line">
      <progress class="line-bar" max={all || 1} value={gone} aria-label={text} />
      <span>{text}</span>
    </div>
  );
}

type SideProps = View & { wide: boolean; confirm: (question: Confirm) => void };

function Side({ app, model, wide, confirm }: SideProps) {
  const writes = model.panel === "chat" && (wide || model.seen.canPublish);
  return (
    <aside class="side">
      <Progress app={app} model={model} />
      <div class="tabs-row" role="tablist" aria-label={say(app, "panel")}>
        <Tab app={app} model={model} of="chat" label={say(app, "chat")} badge={model.chat.unread} />
        <Tab app={app} model={model} of="people" label={say(app, "people")} badge={model.hands.length} />
        {panelsOf(app, model).includes("rooms") && (
          <Tab app={app} model={model} of="rooms" label={say(app, "rooms")} badge={groupAhead(model.places, model.here?.id ?? "") ? 1 : 0} />
        )}
        <Tab app={app} model={model} of="about" label={say(app, "about")} badge={0} />
      </div>
      <div class="side-body" role="tabpanel" id="side-panel" aria-labelledby={`tab-${model.panel}`}>
        {model.panel === "chat" && <ChatPanel app={app} model={model} />}
        {model.panel === "people" && <PeoplePanel app={app} model={model} confirm={confirm} />}
        {model.panel === "rooms" && <RoomsPanel app={app} model={model} />}
        {model.panel === "about" && <About app={app} model={model} />}
      </div>
      {writes && <Composer app={app} model={model} />}
    </aside>
  );
}

/** Who hosts can add rooms; the others see them where there are any. */
function panelsOf(app: View["app"], model: View["model"]): Panel[] {
  const rooms = app.host || beside(model.places).length > 0;
  return rooms ? ["chat", "people", "rooms", "about"] : ["chat", "people", "about"];
}

function Tab({ app, model, of, label, badge }: View & { of: Panel; label: string; badge: number }) {
  const chosen = model.panel === of;
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const panels = panelsOf(app, model);
    const next = panels[(panels.indexOf(of) + by + panels.length) % panels.length] ?? of;
    app.show(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <button
      type="button"
      role="tab"
      id={`tab-${of}`}
      class="tab-one"
      data-testid={`tab-${of}`}
      aria-selected={chosen}
      aria-controls="side-panel"
      tabIndex={chosen ? 0 : -1}
      onClick={() => app.show(of)}
      onKeyDown={move}
    >
      {label}
      {badge > 0 && <span class="tab-badge">{badge}</span>}
    </button>
  );
}

function About({ app, model }: View) {
  const { lecture, policy_sentence: policy, when } = app.page.data;
  return (
    <div class="about">
      <h2>{lecture.title}</h2>
      <p>{lecture.lecturer_name}</p>
      <p>{when}</p>
      {policy !== "" && <p>{policy}</p>}
      {model.standing !== null && model.standing.text !== "" && <p><b>{say(app, "own_standing")}</b> {model.standing.text}</p>}
      <p>{say(app, "visibility_notice")} <a class="link" href="/privacy-notice" target="_blank" rel="noopener">{say(app, "notice_more")}</a></p>
      {lecture.recorded && <p>{say(app, "recorded_notice")}</p>}
    </div>
  );
}
