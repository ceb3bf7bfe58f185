/**
 * Runs the classroom page: does the machine's commands, feeds it what happens, keeps what is shown.
 *
 * Everything visible is one `Model`; each change makes a new one and draws it. Timers are compared
 * with the clock once a second (`tick`), so that a page that slept simply finds them due.
 */
import type { Api, Classroom, Standing } from "./api";
import * as breaks from "./breaks";
import * as chats from "./chat";
import * as checks from "./checks";
import { keepChoices, recallChoices, type Choices } from "./choices";
import { capture, type Captured, type Kind } from "./devices";
import * as hands from "./hands";
import { dueAt, inOrOnTheWay, START, step, ticketOf, type Event, type State, type Ticket } from "./machine";
import { isExpired, loadLibrary, Media, NOTHING, seatOf, type Listener, type Seen } from "./media";
import { isHost, type Page } from "./page";
import * as rooms from "./rooms";
import { HEARTBEAT_MS, pollAfter } from "./schedule";
import { keepPlace, newTab, OtherTabs, recallPlace } from "./tab";
import { fill, type TextKey } from "./texts";

export type Panel = "chat" | "people" | "rooms" | "about";

/** What the room is told of the lecture itself. */
interface Moved {
  state: string;
  starts_at: number;
  ends_at: number;
  breaks: breaks.Break[];
  reason?: string;
}

export interface Notice {
  text: string;
  until: number;
  /** What a button beside it takes back. */
  undo?: () => void;
}

export interface Model {
  state: State;
  seen: Seen;
  chat: chats.Chat;
  hands: readonly hands.Hand[];
  /** `reason`: why it was cancelled, where somebody said so. */
  lecture: { state: string; startsAt: number; endsAt: number; recording: boolean; breaks: readonly breaks.Break[]; reason: string };
  /** Server time minus device time, ms. */
  offset: number;
  panel: Panel;
  panelOpen: boolean;
  choices: Choices;
  captured: Captured | null;
  notice: Notice | null;
  asked: checks.Asked | null;
  places: readonly rooms.Place[];
  /** The room that one is in, or was let into last. */
  here: rooms.Place | null;
  /** The own attendance so far, as the server last said. */
  standing: Standing | null;
  /** What a screen reader is told, politely and rarely. */
  spoken: string;
}

const NOTICE_MS = 7_000;
const SPOKEN_EVERY_MS = 5_000;
const WATCH_CLOSED_MS = 30_000;
/** How often the page asks for the own attendance: seldom, and more often while somebody looks at it. */
const STANDING_MS = 180_000;
const STANDING_SEEN_MS = 60_000;
/** How often who is where is asked for while somebody looks at it. */
const ROOMS_MS = 5_000;
/** All pages of a room that closes go back, but not in the same instant. */
const MOVE_SPREAD_MS = 700;
/** What was answered is counted with the next tally. */
const AFTER_ANSWER_MS = 70_000;

export class App implements Listener {
  readonly page: Page;
  model: Model;
  readonly host: boolean;
  readonly #api: Api;
  readonly #tab: string;
  readonly #media: Media;
  readonly #others: OtherTabs;
  readonly #draw: (app: App) => void;
  #drawn = false;
  #seat: string | null = null;
  /** What is on in the room, where that is known; before, the choice on the check page holds. */
  readonly #on: Partial<Pick<Choices, Kind>>;
  #beatAt = 0;
  #pollAt = 0;
  #quiet = 0;
  #roomsAt = Infinity;
  /** The id of the room to be let into, "" for the one that the server chooses. */
  #place: string;
  #spokenAt = 0;
  #standingAt = 0;
  #break: breaks.Break | null = null;
  /** Whether the person was told what is kept, here or before, and came in all the same. */
  #agreed: boolean;

  constructor(page: Page, api: Api, tab: string, sounds: HTMLElement, draw: (app: App) => void) {
    this.page = page;
    this.host = isHost(page.data.me.role);
    this.#api = api;
    this.#tab = tab;
    this.#agreed = page.data.notice.given;
    this.#draw = draw;
    this.#place = recallPlace(page.data.lecture.id);
    this.#media = new Media(this, sounds);
    this.#on = this.host ? {} : { microphone: false, camera: false };
    this.#others = new OtherTabs(page.data.lecture.id, () => this.#seat, () => this.dispatch({ is: "entered_elsewhere" }));
    const { starts_at: startsAt, ends_at: endsAt } = page.data.lecture;
    this.model = {
      state: START,
      seen: NOTHING,
      chat: chats.EMPTY,
      hands: [],
      lecture: { state: "", startsAt, endsAt, recording: false, breaks: [], reason: "" },
      offset: page.data.server_time > 0 ? page.data.server_time - Date.now() : 0,
      panel: "chat",
      panelOpen: true,
      choices: recallChoices(),
      captured: null,
      notice: null,
      asked: null,
      places: [],
      here: null,
      standing: null,
      spoken: "",
    };
  }

  // What the person does

  dispatch = (event: Event): void => {
    if (event.is === "join") this.#agreed = true;
    const moment = { now: Date.now(), chance: Math.random(), byItself: !this.host && this.#agreed };
    const before = this.model.state;
    const { state, commands } = step(before, event, moment);
    if (state !== before) this.#set({ state });
    for (const command of commands) {
      if (command.do === "admit") void this.#admit();
      else if (command.do === "connect") void this.#connect(command.ticket);
      else this.#hangUp();
    }
  };

  leave = (): void => {
    this.#beat(true);
    this.dispatch({ is: "leave" });
  };

  show = (panel: Panel): void => {
    this.#set({ panel, panelOpen: true });
    if (panel === "about") this.#standingAt = 0;
    if (panel === "rooms") this.#roomsAt = 0;
    this.#markRead();
  };

  togglePanel = (): void => {
    this.#set({ panelOpen: !this.model.panelOpen });
    if (this.#looksAtRooms) this.#roomsAt = 0;
    this.#markRead();
  };

  choose = (choices: Partial<Choices>): void => {
    this.#set({ choices: { ...this.model.choices, ...choices } });
    keepChoices(this.model.choices);
  };

  /** (Re)opens the preview with the present choices. */
  preview = async (): Promise<void> => {
    this.#stopPreview();
    const captured = await capture(this.model.choices);
    const wanted = this.model.state.at !== "connected" && this.model.state.at !== "reconnecting";
    if (wanted) this.#set({ captured });
    else captured.stream?.getTracks().forEach((track) => track.stop());
  };

  toggleMicrophone = (): Promise<boolean> =>
    this.#media.microphone(!this.model.seen.microphone, this.model.choices.microphoneId);

  toggleCamera = (): Promise<boolean> =>
    this.#media.camera(!this.model.seen.camera, this.model.choices.cameraId);

  toggleScreen = (): Promise<boolean> => this.#media.screen(!this.model.seen.screen);

  switchDevice = (kind: "audioinput" | "videoinput", id: string): void => {
    this.choose(kind === "audioinput" ? { microphoneId: id } : { cameraId: id });
    void this.#media.switchTo(kind, id);
  };

  startSound = (): void => void this.#media.startSound().then(() => this.changed());

  get ownSeat(): string {
    return this.#seat ?? "";
  }

  get handUp(): boolean {
    return hands.isUp(this.model.hands, this.ownSeat);
  }

  toggleHand = async (): Promise<void> => {
    const raised = !this.handUp;
    this.#moveHand(this.ownSeat, this.page.data.me.name, raised);
    if (await this.#api.raiseHand(raised)) return;
    this.#moveHand(this.ownSeat, this.page.data.me.name, !raised);
    this.tell("not_done");
  };

  draft(text: string): void {
    this.#set({ chat: chats.drafted(this.model.chat, text) });
  }

  say = async (text: string, clientId = newTab() + newTab()): Promise<void> => {
    const trimmed = text.trim();
    if (trimmed === "") return;
    this.#set({ chat: chats.sending(this.model.chat, clientId, trimmed, Date.now() + this.model.offset) });
    const room = rooms.chatRoom(this.model.here);
    const message = await this.#api.say(trimmed, clientId, room);
    if (rooms.chatRoom(this.model.here) !== room) return;
    const chat = this.model.chat;
    this.#set({ chat: message === null ? chats.failed(chat, clientId) : chats.confirmed(chat, clientId, message) });
  };

  /** Still here. The thanks come at once; an answer that does not get through is asked for again. */
  answerCheck = async (how: "click" | "speaking" = "click"): Promise<void> => {
    const { asked, state } = this.model;
    const ticket = ticketOf(state);
    if (asked === null || asked.done || ticket === null) return;
    this.#set({ asked: { ...asked, done: true }, spoken: how === "click" ? this.page.texts.still_here_thanks : "" });
    if (await this.#api.answerCheck(asked.check.id, ticket.identity, how)) {
      this.#standingAt = Date.now() + AFTER_ANSWER_MS;
      return;
    }
    if (this.model.asked?.check.id === asked.check.id) this.#set({ asked: { ...this.model.asked, done: false } });
    if (how === "click") this.tell("not_done");
  };

  /** To another room of the lecture, by a new admission. */
  move = (place: string): void => {
    const title = this.titleOf(rooms.placeOf(this.model.places, place));
    this.#place = place;
    this.#beat(true);
    this.#set({ spoken: fill(this.page.texts.moving, { title }) });
    this.dispatch({ is: "move" });
  };

  titleOf(place: rooms.Place | null | undefined): string {
    return place === null || place === undefined || place.kind === "main" ? this.page.texts.main_room : place.title;
  }

  // What a host does

  addRooms = async (count: number, spread: boolean): Promise<void> => {
    const titles = rooms.newTitles(this.model.places, count, this.page.texts.new_room);
    const made = await this.#api.addRooms(titles, spread);
    if (made === null) return this.tell("not_done");
    this.#roomsAt = 0;
    const ids = made.rooms.map((place) => place.id);
    this.tell("rooms_opening", { count: String(ids.length) }, () => void Promise.all(ids.map((id) => this.#api.closeRoom(id))));
  };

  callBack = async (): Promise<void> => {
    const closed = await this.#api.callBack();
    if (closed === null) return this.tell("not_done");
    this.#roomsAt = 0;
    this.tell("called_back", {}, () => void this.openRooms(closed));
  };

  openRooms = async (ids: string[]): Promise<void> => {
    await this.#orTell(this.#api.openRooms(ids));
    this.#roomsAt = 0;
  };

  closeRoom = async (place: rooms.Place): Promise<void> => {
    if (!(await this.#api.closeRoom(place.id))) return this.tell("not_done");
    this.#roomsAt = 0;
    this.tell("room_closed", { title: place.title }, () => void this.openRooms([place.id]));
  };

  renameRoom = async (place: rooms.Place, title: string): Promise<void> => {
    if (title.trim() === "" || title.trim() === place.title) return;
    await this.#orTell(this.#api.renameRoom(place.id, title.trim()));
    this.#roomsAt = 0;
  };

  lowerHand = async (seat: string, name: string): Promise<void> => {
    this.#moveHand(seat, name, false);
    await this.#orTell(this.#api.lowerHand(seat));
  };

  mute = (seat: string): Promise<void> => this.#orTell(this.#api.mute(seat));

  remove = (seat: string): Promise<void> => this.#orTell(this.#api.remove(seat));

  moveLecture = async (move: "start" | "extend" | "end"): Promise<void> => {
    await this.#orTell(this.#api.lecture(move));
    this.#pollAt = 0;
  };

  // What the media server tells (Listener)

  changed(): void {
    const seen = this.#media.see();
    this.#set({ seen });
    // What is on now is what a rejoin switches on again; a host's mute is kept that way too.
    for (const kind of ["camera", "microphone"] as const) {
      if (seen[kind]) this.#on[kind] = true;
      else if (seen.switchedOff.includes(kind)) this.#on[kind] = false;
    }
  }

  interrupted(): void {
    this.dispatch({ is: "interrupted" });
  }

  resumed(): void {
    this.dispatch({ is: "resumed" });
    this.#catchUp();
  }

  lost(loss: "duplicate" | "removed" | "closed" | "network"): void {
    this.#set({ seen: NOTHING });
    this.dispatch({ is: "lost", loss });
  }

  said(topic: string, body: unknown): void {
    if (topic === "chat") this.#heard(body as chats.Message);
    if (topic === "hand") {
      const { seat, name, raised } = body as { seat: string; name: string; raised: boolean };
      this.#moveHand(seat, name, raised);
      if (raised && seat !== this.ownSeat) this.#speak("hand_raised", { name });
    }
    if (topic === "check") this.#isAsked(body as checks.Check);
    if (topic === "rooms") {
      this.#roomsAre(rooms.told(this.model.places, (body as { rooms: rooms.Place[] }).rooms));
      // Which of them is the own, the broadcast to all does not say.
      this.#pollSoon();
      if (this.#looksAtRooms) this.#roomsAt = Date.now() + Math.random() * 1_500;
    }
    if (topic === "lecture") {
      const { state, starts_at: startsAt, ends_at: endsAt, breaks, reason } = body as Moved;
      this.#lectureIs({ state, startsAt, endsAt, breaks, reason: reason ?? "" });
      this.#pollSoon();
    }
  }

  troubled(kind: "camera" | "microphone" | "screen", error: unknown): void {
    const denied = error instanceof Error && error.name === "NotAllowedError";
    // Closing the browser's screen chooser also says "not allowed": that was no mistake.
    if (kind === "screen" && denied) return;
    this.tell(kind === "screen" ? "screen_failed" : denied ? `${kind}_denied` : `${kind}_failed`);
  }

  // Time and the page's life

  tick = (): void => {
    const now = Date.now();
    const { state, notice } = this.model;
    if (notice !== null && now >= notice.until) this.#set({ notice: null });
    if (now >= (dueAt(state) ?? Infinity)) this.dispatch({ is: "due" });
    if (state.at === "connected" && now - this.#beatAt >= HEARTBEAT_MS) this.#beat();
    if (now >= this.#pollAt && this.#watches(state)) void this.#poll();
    if (state.at === "connected" && now >= this.#roomsAt) void this.#lookRooms(now);
    if (state.at === "connected") this.#attend(now);
    if (state.at === "connected") this.#minds(now);
  };

  seenOrHidden = (): void => {
    if (this.#looksAtRooms) this.#roomsAt = 0;
    if (this.model.state.at === "connected") this.#beat();
    this.#markRead();
  };

  goingAway = (): void => this.#beat(true);

  /** Out of the browser's back-forward cache: the connection was closed when the page was put away. */
  returned = (): void => {
    if (this.model.state.at === "connected") this.lost("network");
  };

  tell(key: TextKey, values: Record<string, string> = {}, undo?: () => void): void {
    const notice = { text: fill(this.page.texts[key], values), until: Date.now() + NOTICE_MS };
    this.#set({ notice: undo === undefined ? notice : { ...notice, undo } });
  }

  dropNotice = (): void => this.#set({ notice: null });

  // Inside

  async #admit(): Promise<void> {
    const notice = this.#agreed ? this.page.data.notice.version : null;
    const asked = this.#place;
    const { event, offset } = await this.#api.admission(this.#tab, notice, asked);
    if (offset !== null) this.#set({ offset });
    if (event.is === "misplaced") this.#place = "";
    // The button was pressed while the first question was still under way.
    if (event.is === "unread" && notice === null && this.#agreed) return void this.#admit();
    if (event.is === "admitted") {
      this.#seat = seatOf(event.ticket.identity);
      this.#comesTo(event.ticket.place, asked);
      preconnect(event.ticket.url);
    }
    this.dispatch(event);
  }

  /** Where the server lets one in; not the room asked for where that was closed. */
  #comesTo(place: rooms.Place, asked: string): void {
    const before = rooms.placeOf(this.model.places, asked);
    if (rooms.chatRoom(place) !== rooms.chatRoom(this.model.here)) this.#set({ chat: chats.elsewhere(this.model.chat) });
    this.#set({ here: place });
    this.#place = place.id;
    keepPlace(this.page.data.lecture.id, place.id);
    if (before !== undefined && before.kind !== "main" && place.id !== asked) this.tell("room_left", { title: before.title });
  }

  async #lookRooms(now: number): Promise<void> {
    this.#roomsAt = this.#looksAtRooms ? now + ROOMS_MS * (0.8 + 0.4 * Math.random()) : Infinity;
    const places = await this.#api.rooms();
    if (places !== null) this.#roomsAre(places);
  }

  get #looksAtRooms(): boolean {
    return this.model.panel === "rooms" && this.model.panelOpen && document.visibilityState === "visible";
  }

  /** Which rooms there are now: one's own group is said once, and out of a room that closes one goes back. */
  #roomsAre(places: rooms.Place[]): void {
    const here = this.model.here?.id ?? "";
    const before = rooms.groupAhead(this.model.places, here);
    const group = rooms.groupAhead(places, here);
    this.#set({ places, here: rooms.placeOf(places, here) ?? this.model.here });
    if (group !== undefined && group.id !== before?.id) {
      this.#set({ spoken: fill(this.page.texts.room_given, { title: group.title }) });
    }
    if (!rooms.isClosed(places, here) || this.model.state.at !== "connected") return;
    setTimeout(() => {
      // Opened again in the meantime, or gone by the media server's own word.
      if (this.model.here?.id !== here || !rooms.isClosed(this.model.places, here)) return;
      this.#beat(true);
      this.dispatch({ is: "move" });
    }, Math.random() * MOVE_SPREAD_MS);
  }

  async #connect(ticket: Ticket): Promise<void> {
    const wanted = (): boolean => ticketOf(this.model.state) === ticket && inOrOnTheWay(this.model.state);
    this.#others.announce();
    try {
      await this.#media.connect(ticket);
    } catch (error) {
      if (wanted()) this.dispatch({ is: "connect_failed", expired: isExpired(error) });
      return;
    }
    if (!wanted()) return void this.#media.disconnect();
    this.dispatch({ is: "connected" });
    this.#catchUp();
    await this.#bringDevices();
  }

  /** A participant comes in silent; who leads the lecture brings what the check page showed. */
  async #bringDevices(): Promise<void> {
    const { captured, choices } = this.model;
    const stream = captured?.stream ?? null;
    const wish = { ...choices, ...this.#on };
    // What failed on the check page has been said there: no second complaint at the door.
    if (captured?.camera) wish.camera = false;
    if (captured?.microphone) wish.microphone = false;
    if (wish.camera || wish.microphone) await this.#media.publish(stream, wish).catch(() => undefined);
    this.#set({ captured: null });
    if (this.model.seen.soundBlocked) await this.#media.startSound();
    this.changed();
  }

  #hangUp(): void {
    this.#stopPreview();
    this.#set({ seen: NOTHING, hands: [] });
    void this.#media.disconnect();
  }

  #stopPreview(): void {
    this.model.captured?.stream?.getTracks().forEach((track) => track.stop());
    this.#set({ captured: null });
  }

  #catchUp(): void {
    this.#pollSoon();
    this.#pollAt = 0;
    this.#beat();
    void this.#loadChat();
    this.tick();
  }

  async #loadChat(): Promise<void> {
    const room = rooms.chatRoom(this.model.here);
    const batch = await this.#api.chatAfter(this.model.chat.cursor, room);
    if (batch !== null && rooms.chatRoom(this.model.here) === room) this.#set({ chat: chats.loaded(this.model.chat, batch) });
  }

  #heard(message: chats.Message): void {
    if (message.room !== rooms.chatRoom(this.model.here)) return;
    this.#set({ chat: chats.received(this.model.chat, message, this.ownSeat, this.#reading) });
  }

  get #reading(): boolean {
    return this.model.panelOpen && this.model.panel === "chat" && document.visibilityState === "visible";
  }

  #markRead(): void {
    if (this.#reading) this.#set({ chat: chats.read(this.model.chat) });
  }

  #moveHand(seat: string, name: string, raised: boolean): void {
    this.#set({ hands: hands.moved(this.model.hands, seat, name, raised, Date.now() + this.model.offset) });
  }

  /** In the room to stay in step; before the opening and after the end to notice a change of plan. */
  #watches(state: State): boolean {
    const over = state.at === "closed" && (state.why === "ended" || state.why === "cancelled");
    return state.at === "connected" || state.at === "countdown" || over;
  }

  async #poll(): Promise<void> {
    const inside = this.model.state.at === "connected";
    const wait = inside ? pollAfter(this.#quiet, this.host, Math.random()) : WATCH_CLOSED_MS * (1 + Math.random());
    this.#pollAt = Date.now() + wait;
    const answer = await this.#api.classroom();
    if (answer === null) return;
    this.#quiet = this.#differs(answer.room) ? 0 : this.#quiet + 1;
    this.#set({ offset: answer.offset, hands: hands.inOrder(answer.room.hands) });
    this.#isAsked(answer.room.check);
    this.#roomsAre(rooms.told(this.model.places, answer.room.rooms));
    const { state, starts_at: startsAt, ends_at: endsAt, recording, breaks } = answer.room;
    this.#lectureIs({ state, startsAt, endsAt, recording, breaks });
  }

  #differs(room: Classroom): boolean {
    const { state, endsAt } = this.model.lecture;
    return room.state !== state || room.ends_at !== endsAt || room.hands.length !== this.model.hands.length;
  }

  /** A check that was told or found; who hosts only sees how many answered. */
  #isAsked(check: checks.Check | null): void {
    const before = this.model.asked;
    const asked = checks.told(before, check, Date.now() + this.model.offset);
    if (asked?.check.id === before?.check.id && asked?.done === before?.done && asked?.check.answered === before?.check.answered) return;
    this.#set({ asked });
    if (this.host || asked === null || asked.done || asked.check.id === before?.check.id) return;
    // Answered before it is drawn or read out.
    if (this.#speaking) void this.answerCheck("speaking");
    else this.#set({ spoken: this.page.texts.still_here_spoken });
  }

  get #speaking(): boolean {
    return this.model.seen.people.some((person) => person.local && person.speaking && person.microphone);
  }

  /** Once a second in the room: checks that end, speaking as an answer, and now and then the own standing. */
  #attend(now: number): void {
    const { asked, offset } = this.model;
    if (asked !== null && now + offset >= asked.check.closes_at) {
      this.#set({ asked: null });
      // Who missed it soon sees that in the own attendance; not everybody in the same second.
      if (!asked.done) this.#standingAt = Math.min(this.#standingAt, now + STANDING_SEEN_MS * (0.5 + Math.random()));
    } else if (!this.host && checks.answersBySpeaking(asked, now + offset, this.#speaking)) void this.answerCheck("speaking");
    if (now < this.#standingAt || this.host) return;
    const often = this.model.panel === "about" && this.model.panelOpen;
    this.#standingAt = now + (often ? STANDING_SEEN_MS : STANDING_MS * (1 + Math.random()));
    void this.#api.progress().then((standing) => standing === null || this.#set({ standing }));
  }

  #pollSoon(): void {
    this.#quiet = 0;
    this.#pollAt = Math.min(this.#pollAt, Date.now() + 1_000 + Math.random() * 3_000);
  }

  #lectureIs(known: Partial<Model["lecture"]>): void {
    const before = this.model.lecture;
    const inside = this.model.state.at === "connected" && before.state !== "";
    const retimed = inside && (known.startsAt ?? before.startsAt) !== before.startsAt;
    const extended = inside && (known.endsAt ?? 0) > before.endsAt;
    this.#set({ lecture: { ...before, ...known } });
    if (retimed) this.tell("retimed");
    else if (extended) this.tell("extended");
    this.#minds(Date.now());
    this.dispatch({ is: "lecture", state: this.model.lecture.state });
  }

  /** Says once that a break begins, and once that it is over; the card shows the rest. */
  #minds(now: number): void {
    const present = breaks.presentBreak(this.model.lecture.breaks, now + this.model.offset);
    const turned = breaks.turned(this.#break, present);
    this.#break = present;
    if (turned === null || this.model.state.at !== "connected") return;
    const { break_spoken: begun, break_over: over } = this.page.texts;
    if (turned === "ended") this.tell("break_over");
    const minutes = present === null ? "" : String(breaks.minutesLeft(present, now + this.model.offset));
    this.#set({ spoken: turned === "ended" ? over : fill(begun, { minutes }) });
  }

  #beat(leaving = false): void {
    const { state, seen } = this.model;
    if (state.at !== "connected" && state.at !== "reconnecting") return;
    this.#beatAt = Date.now();
    const visible = document.visibilityState === "visible";
    const { identity, room, server } = state.ticket;
    const beat = { connection: identity, sid: seen.sid, room, server, visible };
    void this.#api.heartbeat(leaving ? { ...beat, leaving } : beat).then((moved) => {
      if (moved && ticketOf(this.model.state) === state.ticket) this.dispatch({ is: "move" });
    });
  }

  async #orTell(asked: Promise<boolean>): Promise<void> {
    if (!(await asked)) this.tell("not_done");
  }

  #speak(key: TextKey, values: Record<string, string>): void {
    const now = Date.now();
    if (!this.host || now - this.#spokenAt < SPOKEN_EVERY_MS) return;
    this.#spokenAt = now;
    this.#set({ spoken: fill(this.page.texts[key], values) });
  }

  #set(change: Partial<Model>): void {
    this.model = { ...this.model, ...change };
    if (this.#drawn) return;
    this.#drawn = true;
    queueMicrotask(() => {
      this.#drawn = false;
      this.#draw(this);
    });
  }

  /** Starts the page: the first admission tells what there is to show. */
  start(): void {
    this.dispatch({ is: "opened" });
    // The largest part comes in while the admission is asked for and the person reads. Not before:
    // taking it in would hold up the question.
    setTimeout(() => void loadLibrary().catch(() => undefined));
  }
}

/** Name look-up and TLS of the media server happen while the person still reads. */
function preconnect(url: string): void {
  const link = document.createElement("link");
  link.rel = "preconnect";
  link.href = url.replace(/^ws/, "http");
  document.head.append(link);
}
