import { DoorClosed, Pencil, Undo2 } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";

import { beside, type Place } from "../rooms";
import { say, type View } from "./common";
import { Icon } from "./icon";

/** The rooms of the lecture and who is where; for who hosts also what can be done with them. */
export function RoomsPanel({ app, model }: View) {
  const groups = beside(model.places).filter((place) => place.kind === "breakout" && place.open);
  return (
    <div class="people rooms-panel" data-testid="rooms">
      <ul>{model.places.map((place) => <Room key={place.id} app={app} model={model} place={place} />)}</ul>
      {app.host && groups.length > 0 && (
        <button type="button" class="btn btn-block" data-testid="call-back" onClick={() => void app.callBack()}>
          <Icon of={Undo2} size={18} />
          {say(app, "everybody_back")}
        </button>
      )}
      {app.host && <NewRooms app={app} model={model} />}
    </div>
  );
}

function Room({ app, model, place }: View & { place: Place }) {
  const [renaming, rename] = useState(false);
  const here = model.here?.id === place.id;
  const title = app.titleOf(place);
  return (
    <li class="room-one" data-testid="room" data-room={place.id} data-here={String(here)} data-open={String(place.open)}>
      <div class="room-one-head">
        {renaming ? (
          <Title app={app} place={place} done={() => rename(false)} />
        ) : (
          <h3>
            {title}
            <small>{stateOf({ app, model }, place, here)}</small>
          </h3>
        )}
        {!renaming && <Deeds app={app} model={model} place={place} here={here} rename={() => rename(true)} />}
      </div>
      {place.open && <Who app={app} place={place} />}
    </li>
  );
}

function stateOf({ app }: View, place: Place, here: boolean): string {
  if (!place.open) return say(app, "room_is_closed");
  if (here) return say(app, "you_are_here");
  if (!place.ready) return say(app, "room_opens");
  return place.mine === true ? say(app, "own_group") : "";
}

function Deeds({ app, place, here, rename }: View & { place: Place; here: boolean; rename: () => void }) {
  const title = app.titleOf(place);
  const manages = app.host && place.kind !== "main";
  return (
    <span class="room-deeds">
      {place.open && !here && place.may !== false && (
        <button type="button" class="btn btn-sm" data-testid="go" aria-label={say(app, "go_to", { title })} onClick={() => app.move(place.id)}>
          {say(app, "go_there")}
        </button>
      )}
      {manages && place.open && <Tool label={say(app, "rename_room", { title })} of={Pencil} id="rename" act={rename} />}
      {manages && place.open && <Tool label={say(app, "close_room", { title })} of={DoorClosed} id="close-room" act={() => void app.closeRoom(place)} />}
      {manages && !place.open && <Tool label={say(app, "reopen_room", { title })} of={Undo2} id="reopen" act={() => void app.openRooms([place.id])} />}
    </span>
  );
}

function Tool({ label, of, id, act }: { label: string; of: typeof Pencil; id: string; act: () => void }) {
  return (
    <button type="button" class="btn btn-circle btn-icon" data-testid={id} aria-label={label} title={label} onClick={act}>
      <Icon of={of} size={16} />
    </button>
  );
}

function Title({ app, place, done }: { app: View["app"]; place: Place; done: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const save = (event: Event): void => {
    event.preventDefault();
    void app.renameRoom(place, field.current?.value ?? "");
    done();
  };
  return (
    <form class="room-title" onSubmit={save} onKeyDown={(event) => event.key === "Escape" && done()}>
      <input ref={field} class="input input-sm" maxLength={80} aria-label={say(app, "room_title", { title: place.title })} defaultValue={place.title} data-testid="room-title" />
      <button class="btn btn-sm">{say(app, "save")}</button>
    </form>
  );
}

function Who({ app, place }: { app: View["app"]; place: Place }) {
  if (place.count === undefined) return null;
  if (place.count === null) return <p class="room-who">{say(app, "not_known")}</p>;
  if (place.count === 0) return <p class="room-who">{say(app, "nobody_there")}</p>;
  const names = (place.people ?? []).map((person) => person.name);
  const more = place.count - names.length;
  return (
    <details class="room-who" open={place.kind === "breakout"}>
      <summary>{say(app, "people_count", { count: String(place.count) })}</summary>
      <p data-testid="inside">{names.join(", ")}{more > 0 && ` ${say(app, "people_more", { count: String(more) })}`}</p>
    </details>
  );
}

function NewRooms({ app }: View) {
  const [count, setCount] = useState(2);
  const [spread, setSpread] = useState(true);
  const add = (event: Event): void => {
    event.preventDefault();
    void app.addRooms(Math.min(20, Math.max(1, count)), spread);
  };
  return (
    <form class="new-rooms" onSubmit={add} data-testid="new-rooms">
      <h3>{say(app, "add_rooms")}</h3>
      <label>
        {say(app, "how_many")}
        <input class="input input-sm" type="number" min={1} max={20} value={count} data-testid="room-count" onInput={(event) => setCount(event.currentTarget.valueAsNumber || 1)} />
      </label>
      <fieldset>
        <legend>{say(app, "who_goes")}</legend>
        <label><input class="radio radio-sm" type="radio" name="spread" checked={spread} onChange={() => setSpread(true)} /> {say(app, "at_random")}</label>
        <label><input class="radio radio-sm" type="radio" name="spread" checked={!spread} data-testid="choose" onChange={() => setSpread(false)} /> {say(app, "people_choose")}</label>
      </fieldset>
      <button class="btn btn-primary btn-block" data-testid="add-rooms">{say(app, "add_rooms")}</button>
    </form>
  );
}
