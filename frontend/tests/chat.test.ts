import { expect, it } from "vitest";

import { confirmed, drafted, elsewhere, EMPTY, failed, loaded, read, received, sending, type Message } from "../src/classroom/chat";

const said = (id: number, text: string, seat = "ketut"): Message => ({
  id,
  seat,
  name: seat,
  role: "participant",
  text,
  at: id * 1_000,
  room: null,
});

it("keeps each message once, in the order of storing, whichever way it came", () => {
  const heard = received(received(EMPTY, said(3, "c"), "maya", true), said(2, "b"), "maya", true);
  const chat = loaded(heard, [said(1, "a"), said(2, "b"), said(3, "c")]);
  expect(chat.messages.map((message) => message.text)).toEqual(["a", "b", "c"]);
});

it("asks for history after what the history itself gave, since broadcasts may have holes", () => {
  const chat = received(loaded(EMPTY, [said(1, "a")]), said(4, "d"), "maya", true);
  expect(chat.cursor).toBe(1);
});

it("counts what came while nobody looked, not one's own", () => {
  const chat = received(received(EMPTY, said(1, "a"), "maya", false), said(2, "b", "maya"), "maya", false);
  expect([chat.unread, read(chat).unread]).toEqual([1, 0]);
});

it("shows an own message once when its broadcast overtakes the answer", () => {
  const sent = sending(EMPTY, "c1", "halo", 0);
  const heard = received(sent, said(7, "halo", "maya"), "maya", true);
  const done = confirmed(heard, "c1", said(7, "halo", "maya"));
  expect([heard.pending, done.pending, done.messages.length]).toEqual([[], [], 1]);
});

it("keeps a message that could not be sent until it is sent again", () => {
  const broken = failed(sending(EMPTY, "c1", "halo", 0), "c1");
  expect(broken.pending).toEqual([{ clientId: "c1", text: "halo", at: 0, failed: true }]);
  const again = sending(broken, "c1", "halo", 5);
  expect(again.pending).toEqual([{ clientId: "c1", text: "halo", at: 5, failed: false }]);
});

it("keeps what is typed while messages come and go and rooms change, and nothing else", () => {
  const typed = drafted(received(EMPTY, said(1, "a"), "maya", false), "Saya mau bert");
  const later = confirmed(sending(typed, "c1", "halo", 0), "c1", said(2, "halo", "maya"));
  expect([later.draft, elsewhere(later)]).toEqual(["Saya mau bert", { ...EMPTY, draft: "Saya mau bert" }]);
});
