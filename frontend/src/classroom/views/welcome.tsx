import { Eye, ScrollText, Video } from "lucide";
import type { ComponentChildren } from "preact";

import { say, type View } from "./common";
import { Icon } from "./icon";

/** What every page before the room says: which lecture this is, and what is kept of one's visit; then `act`, the way in. */
export function Welcome({ app, model, children, act }: View & { children?: ComponentChildren; act?: ComponentChildren }) {
  const { lecture, policy_sentence: policy } = app.page.data;
  return (
    <main class="gate">
      <header class="gate-head">
        <p class="gate-brand">Pendopo</p>
        <h1 tabIndex={-1}>{lecture.title}</h1>
        <p class="gate-sub">{lecture.lecturer_name}</p>
        <p class="gate-sub">{app.page.data.when}</p>
      </header>
      {children}
      <ul class="gate-notes">
        {policy !== "" && <li data-testid="promise"><Icon of={ScrollText} /><span>{policy}</span></li>}
        {(lecture.recorded || model.lecture.recording) && (
          <li data-testid="recording-notice"><Icon of={Video} /><span>{say(app, "recorded_notice")}</span></li>
        )}
        <li data-testid="kept-notice">
          <Icon of={Eye} />
          <span>{say(app, "visibility_notice")} <a class="link" href="/privacy-notice" target="_blank" rel="noopener">{say(app, "notice_more")}</a></span>
        </li>
      </ul>
      {act}
    </main>
  );
}
