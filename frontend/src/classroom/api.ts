/** The site's endpoints that the classroom calls. Nothing here throws for an answer of the server. */
import { offsetOf } from "./clock";
import type { Break } from "./breaks";
import type { Message } from "./chat";
import type { Check } from "./checks";
import type { Hand } from "./hands";
import type { Event, Refusal } from "./machine";
import type { Place } from "./rooms";

export interface Classroom {
  state: string;
  starts_at: number;
  ends_at: number;
  breaks: Break[];
  server_time: number;
  recording: boolean;
  hands: Hand[];
  removed: string[];
  check: Check | null;
  rooms: Place[];
}

/** What the server says of the own attendance so far; `text` is in the person's language. */
export interface Standing {
  seconds: number;
  /** From here on there is no more JP to earn. */
  full_seconds: number;
  checks_asked: number;
  checks_answered: number;
  text: string;
  /** The same in parts; `checks` is "" before one was asked. */
  minutes: string;
  checks: string;
}

interface Admission {
  url: string;
  token: string;
  identity: string;
  room: string;
  server: string;
  can_publish: boolean;
  place: Place;
  server_time: number;
}

/** A sign of life: which connection, and where it is; who only watches is in no room. */
export interface Beat {
  connection: string;
  sid: string;
  room?: string;
  server?: string;
  visible: boolean;
  leaving?: true;
}

interface Problem {
  code?: string;
  opens_at?: number;
  server_time?: number;
}

export interface Admitted {
  event: Event;
  /** Server time minus device time, ms; null when the answer told none. */
  offset: number | null;
}

const REFUSALS = new Set<string>(["ended", "cancelled", "removed", "not_registered", "full", "no_session"]);
const ANSWER_WITHIN_MS = 10_000;

export class Api {
  readonly #base: string;
  readonly #csrf: string;

  constructor(lecture: string, csrf: string) {
    this.#base = `/lectures/${encodeURIComponent(lecture)}`;
    this.#csrf = csrf;
  }

  /**
   * `notice` is the version of the text that the person agreed to by coming in, null before they have; `place`
   * the id of the room to go to, "" for the one that the server chooses.
   */
  async admission(tab: string, notice: number | null, place: string): Promise<Admitted> {
    const sentAt = Date.now();
    try {
      const answer = await this.#post("admission", notice === null ? { tab, place } : { tab, notice, place });
      const body = (await answer.json()) as Admission & Problem;
      const receivedAt = Date.now();
      const offset = body.server_time === undefined ? null : offsetOf(body.server_time, sentAt, receivedAt);
      return { event: answer.ok ? admitted(body, receivedAt) : refused(answer.status, body, offset ?? 0), offset };
    } catch {
      return { event: { is: "not_ready", because: "network" }, offset: null };
    }
  }

  async classroom(): Promise<{ room: Classroom; offset: number } | null> {
    const sentAt = Date.now();
    const room = await this.#json<Classroom>(this.#get("classroom"));
    return room === null ? null : { room, offset: offsetOf(room.server_time, sentAt, Date.now()) };
  }

  /** `room` is a breakout room with a chat of its own, null the lecture's. */
  async chatAfter(cursor: number | null, room: string | null): Promise<Message[] | null> {
    const query = new URLSearchParams({ ...(cursor === null ? {} : { after: String(cursor) }), ...(room === null ? {} : { room }) });
    return (await this.#json<{ messages: Message[] }>(this.#get(`chat?${query.toString()}`)))?.messages ?? null;
  }

  say(text: string, clientId: string, room: string | null): Promise<Message | null> {
    return this.#json<Message>(this.#post("chat", { text, client_id: clientId, ...(room === null ? {} : { room }) }));
  }

  async rooms(): Promise<Place[] | null> {
    return (await this.#json<{ rooms: Place[] }>(this.#get("rooms")))?.rooms ?? null;
  }

  addRooms(titles: string[], spread: boolean): Promise<{ rooms: Place[] } | null> {
    return this.#json<{ rooms: Place[] }>(this.#post("rooms", { kind: "breakout", titles, spread }));
  }

  /** Closes all breakout rooms; answers which were open. */
  async callBack(): Promise<string[] | null> {
    return (await this.#json<{ closed: string[] }>(this.#post("rooms/call-back", {})))?.closed ?? null;
  }

  openRooms(rooms: string[]): Promise<boolean> {
    return this.#done(this.#post("rooms/open", { rooms }));
  }

  closeRoom(room: string): Promise<boolean> {
    return this.#done(this.#post(`rooms/${encodeURIComponent(room)}/close`, {}));
  }

  renameRoom(room: string, title: string): Promise<boolean> {
    return this.#done(this.#post(`rooms/${encodeURIComponent(room)}/rename`, { title }));
  }

  answerCheck(check: string, connection: string, how: "click" | "speaking"): Promise<boolean> {
    return this.#done(this.#post(`checks/${encodeURIComponent(check)}/answer`, { connection, how }));
  }

  progress(): Promise<Standing | null> {
    return this.#json<Standing>(this.#get("progress"));
  }

  raiseHand(raised: boolean): Promise<boolean> {
    return this.#done(this.#post("hand", { raised }));
  }

  lowerHand(seat: string): Promise<boolean> {
    return this.#done(this.#post(`hands/${encodeURIComponent(seat)}/lower`, {}));
  }

  mute(seat: string): Promise<boolean> {
    return this.#done(this.#post(`participants/${encodeURIComponent(seat)}/mute`, {}));
  }

  remove(seat: string): Promise<boolean> {
    return this.#done(this.#post(`participants/${encodeURIComponent(seat)}/remove`, {}));
  }

  lecture(move: "start" | "extend" | "end"): Promise<boolean> {
    return this.#done(this.#post(move, move === "extend" ? { minutes: 15 } : {}));
  }

  /** Whether the room was moved to another media server. Survives the page: the browser sends it even while the page goes away. */
  async heartbeat(beat: Beat): Promise<boolean> {
    const answer = await this.#json<{ moved?: boolean }>(this.#post("heartbeat", beat, beat.leaving === true));
    return answer?.moved === true;
  }

  /** What is kept was read, by somebody who only watches. */
  agree(notice: number): Promise<boolean> {
    return this.#done(this.#post("stream", { notice }));
  }

  #get(path: string): Promise<Response> {
    return fetch(`${this.#base}/${path}`, {
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  }

  #post(path: string, body: object, keepalive = false): Promise<Response> {
    return fetch(`${this.#base}/${path}`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-Requested-With": "pendopo",
        "X-CSRF-Token": this.#csrf,
      },
      body: JSON.stringify(body),
      credentials: "same-origin",
      keepalive,
      ...(keepalive ? {} : { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }),
    });
  }

  async #json<T>(asked: Promise<Response>): Promise<T | null> {
    try {
      const answer = await asked;
      return answer.ok ? ((await answer.json()) as T) : null;
    } catch {
      return null;
    }
  }

  async #done(asked: Promise<Response>): Promise<boolean> {
    try {
      return (await asked).ok;
    } catch {
      return false;
    }
  }
}

function admitted(body: Admission, now: number): Event {
  const { url, token, identity, room, server, can_publish: canPublish, place } = body;
  return { is: "admitted", ticket: { url, token, identity, room, server, canPublish, issuedAt: now, place } };
}

/** `offset` turns the server's opening time into this device's clock. */
export function refused(status: number, problem: Problem, offset: number): Event {
  const code = problem.code ?? "";
  if (REFUSALS.has(code)) return { is: "refused", why: code as Refusal };
  if (code === "too_early") {
    return { is: "too_early", opensAt: problem.opens_at === undefined ? null : problem.opens_at - offset };
  }
  if (code === "notice_unread") return { is: "unread" };
  if (code === "other_room") return { is: "misplaced" };
  if (code === "room_preparing") return { is: "not_ready", because: "preparing" };
  if (code === "media_away") return { is: "not_ready", because: "media_away" };
  if (status === 401 || status === 403) return { is: "refused", why: "no_session" };
  if (status === 404) return { is: "refused", why: "not_registered" };
  return { is: "not_ready", because: "network" };
}
