import { useEffect } from "preact/hooks";

import { nameOf, ticketOf } from "../machine";
import { Check } from "./check";
import type { Notice } from "../app";
import { say, type View } from "./common";
import { Countdown } from "./countdown";
import { Room } from "./room";
import { StatePage } from "./state-page";

/** Chooses the page for the state, and writes the state where styles and tests find it. */
export function Root({ app, model }: View) {
  const { state } = model;
  const name = nameOf(state);
  const inside = state.at === "connected" || state.at === "reconnecting";
  useEffect(() => {
    const root = app.page.root;
    root.dataset["state"] = name;
    root.dataset["connection"] = ticketOf(state)?.identity ?? "";
    root.setAttribute("aria-busy", String(name === "opening" || name === "joining"));
  }, [app, state, name]);
  return (
    <>
      {page({ app, model })}
      <div class="sr-only" aria-live="polite" data-testid="spoken">{model.spoken}</div>
      <div class="room-notice" role="status">
        {model.notice && inside && <Toast app={app} model={model} notice={model.notice} />}
      </div>
    </>
  );
}

function Toast({ app, notice }: View & { notice: Notice }) {
  const { undo } = notice;
  const take = (): void => {
    app.dropNotice();
    undo?.();
  };
  return (
    <p class="room-toast" data-testid="notice">
      {notice.text}
      {undo && <button type="button" class="btn btn-sm" data-testid="undo" onClick={take}>{say(app, "undo")}</button>}
    </p>
  );
}

function page({ app, model }: View) {
  switch (model.state.at) {
    case "opening":
    case "check":
      return <Check app={app} model={model} />;
    case "countdown":
      return <Countdown app={app} model={model} />;
    case "connected":
    case "reconnecting":
      return <Room app={app} model={model} />;
    default:
      return <StatePage app={app} model={model} />;
  }
}
