/**
 * The life of one page in the classroom: what the person sees, and what is to be done about it.
 *
 * Pure: an event and the moment come in, the next state and the commands go out. The runner
 * (`app.ts`) is dumb: it does the commands and feeds their outcome back as events. Whatever ends a
 * connection for an unclear reason leads to a new admission, because only the server knows whether
 * the person is still expected; nothing here ever reloads the page.
 */
import { backoff } from "./backoff";
import type { Place } from "./rooms";

/** What an admission gave: the right to connect once. `issuedAt` is this device's clock, ms. */
export interface Ticket {
  url: string;
  token: string;
  identity: string;
  /** The room and the media server that the ticket leads to, by name. */
  room: string;
  server: string;
  canPublish: boolean;
  issuedAt: number;
  place: Place;
}

export type Refusal = "ended" | "cancelled" | "removed" | "not_registered" | "full" | "no_session";
export type Closed = Refusal | "elsewhere" | "left";
export type Waiting = "network" | "preparing" | "media_away";

/** Why the media server let go: `duplicate` and `removed` are final, `closed` is the room's end. */
export type Loss = "duplicate" | "removed" | "closed" | "network";

export type State =
  | { at: "opening" }
  | { at: "check"; ticket: Ticket | null }
  | { at: "countdown"; opensAt: number; until: number }
  | { at: "asking"; attempt: number }
  | { at: "connecting"; attempt: number; ticket: Ticket }
  | { at: "connected"; attempt: number; ticket: Ticket; since: number }
  | { at: "reconnecting"; attempt: number; ticket: Ticket; since: number }
  | { at: "waiting"; because: Waiting; attempt: number; until: number }
  | { at: "closed"; why: Closed };

export type Event =
  | { is: "opened" }
  | { is: "admitted"; ticket: Ticket }
  | { is: "too_early"; opensAt: number | null }
  | { is: "not_ready"; because: Waiting }
  | { is: "refused"; why: Refusal }
  | { is: "unread" }
  | { is: "misplaced" }
  | { is: "move" }
  | { is: "join" }
  | { is: "connected" }
  | { is: "connect_failed"; expired: boolean }
  | { is: "interrupted" }
  | { is: "resumed" }
  | { is: "lost"; loss: Loss }
  | { is: "due" }
  | { is: "online" }
  | { is: "retry" }
  | { is: "leave" }
  | { is: "entered_elsewhere" }
  | { is: "lecture"; state: string };

export type Command =
  | { do: "admit" }
  | { do: "connect"; ticket: Ticket }
  | { do: "disconnect" };

/** `byItself`: whether the end of the countdown leads into the room without a press (an audience that was told what is kept). */
export interface Moment {
  now: number;
  chance: number;
  byItself: boolean;
}

export interface Step {
  state: State;
  commands: Command[];
}

/** Tokens live five to ten minutes; an older ticket is asked for anew instead of tried. */
const TICKET_FRESH_MS = 4 * 60_000;
/** A connection that held this long was a good one: the next loss starts counting from zero. */
const GOOD_CONNECTION_MS = 30_000;
/** Spread of arrivals when a countdown ends for everybody at once. */
const COUNTDOWN_SPREAD_MS = 2_000;
const UNKNOWN_OPENING_MS = 15_000;
const WAIT_MOST_MS: Record<Waiting, number> = { network: 30_000, preparing: 5_000, media_away: 8_000 };

export const START: State = { at: "opening" };

export function step(state: State, event: Event, moment: Moment): Step {
  switch (event.is) {
    case "opened":
      return { state: { at: "opening" }, commands: [{ do: "admit" }] };
    case "leave":
      return inOrOnTheWay(state) ? close("left") : stay(state);
    case "entered_elsewhere":
      return inOrOnTheWay(state) ? close("elsewhere") : stay(state);
    case "lecture":
      return lectureMoved(state, event.state);
    case "admitted":
    case "too_early":
    case "not_ready":
    case "refused":
    case "unread":
    case "misplaced":
      return answered(state, event, moment);
    case "move":
      // To another room, or after the room to another media server. The connection there is stays until the new one begins: only its events count no longer.
      return state.at === "connected" || state.at === "reconnecting" ? ask(0) : stay(state);
    case "join":
    case "retry":
    case "online":
    case "due":
      return urged(state, event.is, moment);
    default:
      return mediaMoved(state, event, moment);
  }
}

/** When `due` is to be sent for this state, or null. */
export function dueAt(state: State): number | null {
  return state.at === "waiting" || state.at === "countdown" ? state.until : null;
}

/** One word for the page's root element: styles, tests and people who help look at it. */
export function nameOf(state: State): string {
  if (state.at === "closed") return state.why;
  if (state.at === "waiting") return state.because === "network" ? "offline" : state.because;
  if (state.at === "asking" || state.at === "connecting") return "joining";
  return state.at;
}

export function ticketOf(state: State): Ticket | null {
  return "ticket" in state ? state.ticket : null;
}

/** Whether there is, or soon may be, a connection of this page on the media server. */
export function inOrOnTheWay(state: State): boolean {
  return ["asking", "connecting", "connected", "reconnecting", "waiting"].includes(state.at);
}

const stay = (state: State): Step => ({ state, commands: [] });
const ask = (attempt: number): Step => ({ state: { at: "asking", attempt }, commands: [{ do: "admit" }] });
const close = (why: Closed): Step => ({ state: { at: "closed", why }, commands: [{ do: "disconnect" }] });

function wait(because: Waiting, attempt: number, moment: Moment): Step {
  const until = moment.now + backoff(attempt, moment.chance, 1_000, WAIT_MOST_MS[because]);
  return stay({ at: "waiting", because, attempt: attempt + 1, until });
}

type Answer = Extract<Event, { is: "admitted" | "too_early" | "not_ready" | "refused" | "unread" | "misplaced" }>;

/** An answer counts only while somebody waits for it: a late one must not pull a person back in. */
function answered(state: State, answer: Answer, moment: Moment): Step {
  if (state.at !== "opening" && state.at !== "asking") return stay(state);
  switch (answer.is) {
    case "refused":
      // Who asks because the room was moved may still be connected to where it was.
      return state.at === "asking" ? close(answer.why) : stay({ at: "closed", why: answer.why });
    case "too_early":
      return stay(countdown(answer.opensAt, moment));
    case "unread":
      // What is kept is told on this page; pressing its button agrees to it.
      return stay({ at: "check", ticket: null });
    case "misplaced":
      // The page asks again without naming a room.
      return { state, commands: [{ do: "admit" }] };
    case "not_ready":
      return state.at === "asking"
        ? wait(answer.because, state.attempt, moment)
        : stay({ at: "check", ticket: null });
    case "admitted":
      return state.at === "asking"
        ? connect(answer.ticket, state.attempt)
        : stay({ at: "check", ticket: answer.ticket });
  }
}

function countdown(opensAt: number | null, moment: Moment): State {
  const opens = opensAt ?? moment.now + UNKNOWN_OPENING_MS;
  const spread = moment.byItself ? moment.chance * COUNTDOWN_SPREAD_MS : 0;
  return { at: "countdown", opensAt: opens, until: Math.max(opens, moment.now + 1_000) + spread };
}

function connect(ticket: Ticket, attempt: number): Step {
  return { state: { at: "connecting", attempt, ticket }, commands: [{ do: "connect", ticket }] };
}

/** The person, the clock or the network says: go on. */
function urged(state: State, by: "join" | "retry" | "online" | "due", moment: Moment): Step {
  const pressed = by === "join" || by === "retry";
  switch (state.at) {
    case "opening":
      // The first admission is still under way: its answer now leads into the room.
      return by === "join" ? stay({ at: "asking", attempt: 0 }) : stay(state);
    case "check":
      if (by !== "join") return stay(state);
      return isFresh(state.ticket, moment.now) ? connect(state.ticket, 0) : ask(0);
    case "countdown":
      if (by !== "due") return stay(state);
      return moment.byItself ? ask(0) : step(state, { is: "opened" }, moment);
    case "waiting":
      return ask(state.attempt);
    case "closed":
      return pressed ? ask(0) : stay(state);
    default:
      return stay(state);
  }
}

function isFresh(ticket: Ticket | null, now: number): ticket is Ticket {
  return ticket !== null && now - ticket.issuedAt < TICKET_FRESH_MS;
}

type MediaEvent = Extract<Event, { is: "connected" | "connect_failed" | "interrupted" | "resumed" | "lost" }>;

function mediaMoved(state: State, event: MediaEvent, moment: Moment): Step {
  if (state.at !== "connecting" && state.at !== "connected" && state.at !== "reconnecting") return stay(state);
  switch (event.is) {
    case "connected":
    case "resumed":
      return stay({
        at: "connected",
        attempt: state.attempt,
        ticket: state.ticket,
        since: state.at === "connecting" ? moment.now : state.since,
      });
    case "interrupted":
      return state.at === "connected" ? stay({ ...state, at: "reconnecting" }) : stay(state);
    case "connect_failed":
      // One immediate new ticket; if that is refused as well, waiting is kinder than hammering.
      return event.expired && state.attempt === 0 ? ask(1) : wait("network", state.attempt, moment);
    case "lost":
      return lost(state, event.loss, moment);
  }
}

function lost(state: State, loss: Loss, moment: Moment): Step {
  if (loss === "duplicate") return stay({ at: "closed", why: "elsewhere" });
  if (loss === "removed") return stay({ at: "closed", why: "removed" });
  const good = "since" in state && moment.now - state.since >= GOOD_CONNECTION_MS;
  const attempt = good || !("attempt" in state) ? 0 : state.attempt;
  return wait(loss === "closed" ? "preparing" : "network", attempt, moment);
}

const OVER: Record<string, Closed> = {
  ended: "ended",
  final: "ended",
  archived: "ended",
  cancelled: "cancelled",
};

function lectureMoved(state: State, lecture: string): Step {
  const why = OVER[lecture];
  if (why !== undefined) return state.at === "closed" ? stay(state) : close(why);
  const opened = lecture === "open" || lecture === "live";
  const over = state.at === "closed" && (state.why === "ended" || state.why === "cancelled");
  const waits = state.at === "countdown" || over;
  // An ended lecture that was extended, a cancelled one that was restored, or one that opened earlier than planned.
  return opened && waits ? { state: { at: "opening" }, commands: [{ do: "admit" }] } : stay(state);
}
