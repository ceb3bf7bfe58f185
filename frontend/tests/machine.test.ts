import { describe, expect, it } from "vitest";

import {
  dueAt,
  nameOf,
  START,
  step,
  type Command,
  type Event,
  type Moment,
  type State,
  type Ticket,
} from "../src/classroom/machine";

const NINE = 1_764_000_000_000;
const AUDIENCE: Moment = { now: NINE, chance: 0.5, byItself: true };
const HOST: Moment = { ...AUDIENCE, byItself: false };
const MAIN = { id: "main", kind: "main" as const, title: "", open: true, ready: true };
const TICKET: Ticket = {
  url: "wss://m",
  token: "t",
  identity: "seat.tab",
  room: "lecture.main",
  server: "a",
  canPublish: true,
  issuedAt: NINE,
  place: MAIN,
};

/** Plays events one after the other; gives the last state and every command on the way. */
function play(events: Event[], moment = AUDIENCE, from: State = START): { state: State; commands: Command["do"][] } {
  let state = from;
  const commands: Command["do"][] = [];
  for (const event of events) {
    const after = step(state, event, moment);
    state = after.state;
    commands.push(...after.commands.map((command) => command.do));
  }
  return { state, commands };
}

const ADMITTED: Event = { is: "admitted", ticket: TICKET };
const IN: Event[] = [{ is: "opened" }, ADMITTED, { is: "join" }, { is: "connected" }];

describe("moving to another room", () => {
  const group: Event = { is: "admitted", ticket: { ...TICKET, place: { ...MAIN, id: "b1", kind: "breakout" } } };
  const inside = play(IN).state;

  it("takes one admission and one connection, and hangs up nothing before", () => {
    const { state, commands } = play([{ is: "move" }, group, { is: "connected" }], AUDIENCE, inside);
    expect(nameOf(state)).toBe("connected");
    expect(commands).toEqual(["admit", "connect"]);
  });

  it("is not taken for a loss when the old room closes meanwhile", () => {
    const { state } = play([{ is: "move" }, { is: "lost", loss: "closed" }, group], AUDIENCE, inside);
    expect(state.at).toBe("connecting");
  });

  it("asks once more without a room when its place is elsewhere", () => {
    const { commands } = play([{ is: "move" }, { is: "misplaced" }, ADMITTED], AUDIENCE, inside);
    expect(commands).toEqual(["admit", "admit", "connect"]);
  });

  it("does nothing for somebody who is not inside", () => {
    expect(play([{ is: "move" }], AUDIENCE, { at: "closed", why: "left" }).commands).toEqual([]);
  });
});

describe("coming in", () => {
  it("takes one admission and one connection from the link to the room", () => {
    const { state, commands } = play(IN);
    expect(nameOf(state)).toBe("connected");
    expect(commands).toEqual(["admit", "connect"]);
  });

  it("does not connect before the person pressed the button", () => {
    expect(play([{ is: "opened" }, ADMITTED])).toEqual({ state: { at: "check", ticket: TICKET }, commands: ["admit"] });
  });

  it("shows what is kept to who was not told yet, and comes in with the button", () => {
    const before = play([{ is: "opened" }, { is: "unread" }]);
    expect(before.state).toEqual({ at: "check", ticket: null });
    expect(play([{ is: "join" }, ADMITTED], AUDIENCE, before.state).commands).toEqual(["admit", "connect"]);
  });

  it("goes back to the notice when its text has changed meanwhile", () => {
    expect(play([{ is: "unread" }], AUDIENCE, { at: "asking", attempt: 0 }).state).toEqual({ at: "check", ticket: null });
  });

  it("uses the admission under way when the button is pressed early", () => {
    expect(play([{ is: "opened" }, { is: "join" }, ADMITTED]).commands).toEqual(["admit", "connect"]);
  });

  it("asks again when the ticket grew old on the check page", () => {
    const late = { ...AUDIENCE, now: NINE + 5 * 60_000 };
    expect(play([{ is: "join" }], late, { at: "check", ticket: TICKET }).commands).toEqual(["admit"]);
  });

  it("waits and asks again by itself while the room is being prepared", () => {
    const { state } = play([{ is: "opened" }, { is: "join" }, { is: "not_ready", because: "preparing" }]);
    expect(nameOf(state)).toBe("preparing");
    expect(step(state, { is: "due" }, AUDIENCE).commands).toEqual([{ do: "admit" }]);
  });

  it.each(["ended", "cancelled", "removed", "not_registered", "full", "no_session"] as const)(
    "shows the page of a refusal: %s",
    (why) => {
      expect(nameOf(play([{ is: "opened" }, { is: "refused", why }]).state)).toBe(why);
    },
  );
});

describe("too early", () => {
  const early: Event[] = [{ is: "opened" }, { is: "too_early", opensAt: NINE + 60_000 }];

  it("turns into the room by itself for the audience, spread over two seconds", () => {
    const { state } = play(early);
    expect(dueAt(state)).toBe(NINE + 61_000);
    expect(play([{ is: "due" }, ADMITTED, { is: "connected" }], AUDIENCE, state).state.at).toBe("connected");
  });

  it("leads a host to the check page, since a camera must not switch itself on", () => {
    const { state } = play(early, HOST);
    expect(play([{ is: "due" }, ADMITTED], HOST, state).state.at).toBe("check");
  });

  it("opens earlier when the host starts earlier", () => {
    const { state, commands } = play([...early, { is: "lecture", state: "live" }]);
    expect([state.at, commands.at(-1)]).toEqual(["opening", "admit"]);
  });

  it("never asks more than once a second, whatever the server's clock says", () => {
    expect(dueAt(play([{ is: "opened" }, { is: "too_early", opensAt: NINE - 5_000 }], HOST).state)).toBe(NINE + 1_000);
  });
});

describe("losing the room", () => {
  const inside = play(IN).state;

  it("stays in the room while the media library reconnects", () => {
    expect(nameOf(play([{ is: "interrupted" }], AUDIENCE, inside).state)).toBe("reconnecting");
    expect(nameOf(play([{ is: "interrupted" }, { is: "resumed" }], AUDIENCE, inside).state)).toBe("connected");
  });

  it("comes back by a new admission when the network is gone", () => {
    const { state } = play([{ is: "lost", loss: "network" }], AUDIENCE, inside);
    expect(nameOf(state)).toBe("offline");
    expect(play([{ is: "due" }, ADMITTED], AUDIENCE, state).commands).toEqual(["admit", "connect"]);
  });

  it("tries at once when the browser is online again or the person presses", () => {
    const { state } = play([{ is: "lost", loss: "network" }], AUDIENCE, inside);
    expect(play([{ is: "online" }], AUDIENCE, state).commands).toEqual(["admit"]);
    expect(play([{ is: "retry" }], AUDIENCE, state).commands).toEqual(["admit"]);
  });

  it("waits longer each time a connection does not hold", () => {
    let state = inside;
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      state = play([{ is: "lost", loss: "network" }], AUDIENCE, state).state;
      waits.push((dueAt(state) ?? 0) - NINE);
      state = play([{ is: "due" }, ADMITTED, { is: "connected" }], AUDIENCE, state).state;
    }
    expect(waits).toEqual([750, 1_500, 3_000, 6_000]);
  });

  it("starts counting anew after a connection that held", () => {
    const later = { ...AUDIENCE, now: NINE + 60_000 };
    const worn: State = { at: "connected", attempt: 5, ticket: TICKET, since: NINE };
    expect(dueAt(play([{ is: "lost", loss: "network" }], later, worn).state)).toBe(later.now + 750);
  });

  it("asks once for a new ticket when the old one expired, then waits", () => {
    const expired: Event = { is: "connect_failed", expired: true };
    const once = play([{ is: "opened" }, { is: "join" }, ADMITTED, expired]);
    expect(once.commands).toEqual(["admit", "connect", "admit"]);
    expect(nameOf(play([ADMITTED, expired], AUDIENCE, once.state).state)).toBe("offline");
  });

  it("asks what became of the lecture when the room was closed", () => {
    const { state } = play([{ is: "lost", loss: "closed" }, { is: "due" }], AUDIENCE, inside);
    expect(nameOf(play([{ is: "refused", why: "ended" }], AUDIENCE, state).state)).toBe("ended");
  });
});

describe("staying out", () => {
  const inside = play(IN).state;

  it("asks to be let in anew when its room was moved to another media server", () => {
    const moved = play([...IN, { is: "move" }]);
    expect(nameOf(moved.state)).toBe("joining");
    expect(moved.commands).toEqual(["admit", "connect", "admit"]);
    const elsewhere: Event = { is: "admitted", ticket: { ...TICKET, url: "wss://b", server: "b" } };
    // What the old server still says in the meantime counts no longer.
    const back = play([{ is: "lost", loss: "closed" }, elsewhere, { is: "connected" }], AUDIENCE, moved.state);
    expect(nameOf(back.state)).toBe("connected");
    expect(back.commands).toEqual(["connect"]);
  });

  it("follows its room also while it still seeks the old server", () => {
    expect(play([...IN, { is: "interrupted" }, { is: "move" }]).commands.at(-1)).toBe("admit");
  });

  it("lets go of the old server when it is not let in again after a move", () => {
    const { state, commands } = play([...IN, { is: "move" }, { is: "refused", why: "removed" }]);
    expect(nameOf(state)).toBe("removed");
    expect(commands.at(-1)).toBe("disconnect");
  });

  it.each(["check", "countdown", "closed"] as const)("does not come in by a move alone: %s", (at) => {
    const states = {
      check: { at: "check", ticket: TICKET },
      countdown: { at: "countdown", opensAt: NINE, until: NINE },
      closed: { at: "closed", why: "left" },
    } satisfies Record<string, State>;
    expect(step(states[at], { is: "move" }, AUDIENCE)).toEqual({ state: states[at], commands: [] });
  });

  it("does not fight another tab: it waits for a press", () => {
    const { state, commands } = play([{ is: "lost", loss: "duplicate" }, { is: "due" }, { is: "online" }], AUDIENCE, inside);
    expect([nameOf(state), commands]).toEqual(["elsewhere", []]);
    expect(play([{ is: "retry" }], AUDIENCE, state).commands).toEqual(["admit"]);
  });

  it("lets go of its connection when another tab of this browser enters", () => {
    const { state, commands } = play([{ is: "entered_elsewhere" }], AUDIENCE, inside);
    expect([nameOf(state), commands]).toEqual(["elsewhere", ["disconnect"]]);
  });

  it("does not come back after a removal by itself", () => {
    const { state, commands } = play([{ is: "lost", loss: "removed" }, { is: "due" }, { is: "online" }], AUDIENCE, inside);
    expect([nameOf(state), commands]).toEqual(["removed", []]);
  });

  it("ignores an admission that arrives after the person left", () => {
    const { state, commands } = play([{ is: "opened" }, { is: "join" }, { is: "leave" }, ADMITTED]);
    expect([nameOf(state), commands]).toEqual(["left", ["admit", "disconnect"]]);
  });

  it("leaves when the lecture is cancelled, and may come back when it is restored", () => {
    const off = play([{ is: "lecture", state: "cancelled" }], AUDIENCE, inside);
    expect([nameOf(off.state), off.commands]).toEqual(["cancelled", ["disconnect"]]);
    expect(play([{ is: "lecture", state: "scheduled" }], AUDIENCE, off.state).state).toEqual(off.state);
    expect(play([{ is: "lecture", state: "open" }, ADMITTED], AUDIENCE, off.state).state.at).toBe("check");
  });

  it("leaves when the host ends the lecture, and may come back when it is extended", () => {
    const ended = play([{ is: "lecture", state: "ended" }], AUDIENCE, inside);
    expect([nameOf(ended.state), ended.commands]).toEqual(["ended", ["disconnect"]]);
    expect(play([{ is: "lecture", state: "live" }, ADMITTED], AUDIENCE, ended.state).state.at).toBe("check");
  });

  it("keeps somebody who was removed out, whatever the lecture does", () => {
    const out: State = { at: "closed", why: "removed" };
    expect(play([{ is: "lecture", state: "live" }], AUDIENCE, out)).toEqual({ state: out, commands: [] });
  });
});
