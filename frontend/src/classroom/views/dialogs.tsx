import { CirclePlay, CircleStop, Keyboard, TimerReset } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { say, type View } from "./common";
import { Choice, useDevices } from "./device-check";
import { Icon } from "./icon";

export interface Confirm {
  title: string;
  text: string;
  yes: string;
  act: () => void;
}

/** The browser's own dialog: it keeps the focus inside, closes on Escape and gives the focus back. */
function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const outside = (event: MouseEvent): void => {
    if (event.target === dialog.current) close();
  };
  return (
    <dialog ref={dialog} class="sheet" aria-label={title} onClose={close} onClick={outside}>
      <div class="sheet-body">
        <h2>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export function ConfirmDialog({ app, question, close }: View & { question: Confirm; close: () => void }) {
  const yes = (): void => {
    close();
    question.act();
  };
  return (
    <Dialog title={question.title} close={close}>
      <p>{question.text}</p>
      <div class="sheet-acts">
        <button type="button" class="btn" autofocus onClick={close}>{say(app, "cancel")}</button>
        <button type="button" class="btn btn-error" data-testid="confirm" onClick={yes}>{question.yes}</button>
      </div>
    </Dialog>
  );
}

export function MoreMenu({ app, model, close, confirm }: View & { close: () => void; confirm: (q: Confirm) => void }) {
  const devices = useDevices(model.seen.camera);
  const { choices, lecture } = model;
  const then = (act: () => void) => () => {
    close();
    act();
  };
  const end: Confirm = {
    title: say(app, "end_lecture"),
    text: say(app, "end_text"),
    yes: say(app, "end_lecture"),
    act: () => void app.moveLecture("end"),
  };
  return (
    <Dialog title={say(app, "more")} close={close}>
      {app.host && (
        <div class="sheet-list">
          {lecture.state !== "live" && (
            <button type="button" class="btn btn-block" data-testid="start" onClick={then(() => void app.moveLecture("start"))}>
              <Icon of={CirclePlay} />
              {say(app, "start_now")}
            </button>
          )}
          <button type="button" class="btn btn-block" data-testid="extend" onClick={then(() => void app.moveLecture("extend"))}>
            <Icon of={TimerReset} />
            {say(app, "extend")}
          </button>
          <button type="button" class="btn btn-block btn-error" data-testid="end" onClick={then(() => confirm(end))}>
            <Icon of={CircleStop} />
            {say(app, "end_lecture")}
          </button>
        </div>
      )}
      {model.seen.canPublish && (
        <>
          <Choice
            label={say(app, "microphone")}
            devices={devices.filter((device) => device.kind === "audioinput")}
            chosen={choices.microphoneId}
            choose={(id) => app.switchDevice("audioinput", id)}
          />
          <Choice
            label={say(app, "camera")}
            devices={devices.filter((device) => device.kind === "videoinput")}
            chosen={choices.cameraId}
            choose={(id) => app.switchDevice("videoinput", id)}
          />
        </>
      )}
      <p class="sheet-keys"><Icon of={Keyboard} size={16} /> {say(app, model.seen.canPublish ? "keys_all" : "keys")}{!app.host && `, ${say(app, "keys_check")}`}</p>
      <div class="sheet-acts"><button type="button" class="btn" onClick={close}>{say(app, "close")}</button></div>
    </Dialog>
  );
}
