import { Users, Volume2 } from "lucide";

import { arrange } from "../arrange";
import { initialsOf, say, type View } from "./common";
import { Icon } from "./icon";
import { Picture } from "./picture";

const STRIP_MOST = 8;

export function Stage({ app, model }: View) {
  const { main, corner, strip } = arrange(model.seen.tiles);
  const speaker = model.seen.people.find((person) => person.speaking && !person.local);
  return (
    <main class="stage" aria-label={say(app, "stage")}>
      <div class="stage-main">
        {main === null && <Empty app={app} model={model} />}
        {main && (
          <Picture key={`${main.identity}/${main.source}`} app={app} model={model} tile={main} classes={`tile-main tile-${main.source}`} />
        )}
        {corner && (
          <Picture key={`${corner.identity}/corner`} app={app} model={model} tile={corner} classes="tile-corner" />
        )}
        {speaker && speaker.seat !== main?.seat && (
          <p class="stage-speaker"><Icon of={Volume2} size={14} />{speaker.name}</p>
        )}
        {model.seen.soundBlocked && (
          <button type="button" class="btn btn-primary stage-sound" data-testid="start-sound" onClick={app.startSound}>
            <Icon of={Volume2} />
            {say(app, "start_sound")}
          </button>
        )}
        {model.state.at === "reconnecting" && (
          <p class="stage-over" role="status" data-testid="reconnecting">{say(app, "reconnecting")}</p>
        )}
      </div>
      {strip.length > 0 && (
        <div class="stage-strip">
          {strip.slice(0, STRIP_MOST).map((tile) => (
            <Picture key={`${tile.identity}/strip`} app={app} model={model} tile={tile} classes="tile-small" />
          ))}
        </div>
      )}
    </main>
  );
}

/** No picture yet: who is awaited, so that an empty room does not look broken. */
function Empty({ app, model }: View) {
  const { lecturer_name: name } = app.page.data.lecture;
  if (model.here?.kind === "breakout") {
    return (
      <div class="stage-empty" data-testid="stage-empty">
        <span class="avatar-big" aria-hidden="true"><Icon of={Users} size={32} /></span>
        <p>{say(app, "group_stage")}</p>
      </div>
    );
  }
  const here = model.seen.people.some((person) => person.role === "lecturer");
  return (
    <div class="stage-empty" data-testid="stage-empty">
      <span class="avatar-big" aria-hidden="true">{initialsOf(name)}</span>
      <p>{say(app, here ? "lecturer_without_camera" : "lecturer_awaited", { name })}</p>
    </div>
  );
}
