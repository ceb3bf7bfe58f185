/** The chat of one lecture as the page knows it: stored messages, and own ones on their way. Pure. */

export interface Message {
  /** Rises in the order in which the messages were stored. */
  id: number;
  seat: string;
  name: string;
  role: string;
  text: string;
  at: number;
  /** The breakout room in which it was said, null for the lecture's chat. */
  room: string | null;
}

/** A message of one's own that the server has not confirmed. `failed` waits for a press. */
export interface Pending {
  clientId: string;
  text: string;
  at: number;
  failed: boolean;
}

export interface Chat {
  messages: readonly Message[];
  pending: readonly Pending[];
  unread: number;
  /** What is typed and not sent; it outlasts the panel, a lost connection and a change of rooms. */
  draft: string;
  /** Id up to which the history is complete: what `?after=` asks from. Broadcasts may have holes. */
  cursor: number | null;
}

export const EMPTY: Chat = { messages: [], pending: [], unread: 0, draft: "", cursor: null };

/** Messages out of the stored history, in the server's order. */
export function loaded(chat: Chat, batch: readonly Message[]): Chat {
  const last = batch.at(-1);
  if (last === undefined) return chat;
  return { ...chat, messages: merged(chat.messages, batch), cursor: last.id };
}

/**
 * One message broadcast to the room. One's own may arrive before the answer to its POST: the oldest
 * pending one with the same text is taken to be it.
 */
export function received(chat: Chat, message: Message, ownSeat: string, reading: boolean): Chat {
  if (chat.messages.some((known) => known.id === message.id)) return chat;
  const own = message.seat === ownSeat;
  const twin = own ? chat.pending.find((p) => p.text === message.text) : undefined;
  return {
    ...chat,
    messages: merged(chat.messages, [message]),
    pending: chat.pending.filter((p) => p !== twin),
    unread: own || reading ? chat.unread : chat.unread + 1,
  };
}

export function sending(chat: Chat, clientId: string, text: string, at: number): Chat {
  const others = chat.pending.filter((p) => p.clientId !== clientId);
  return { ...chat, pending: [...others, { clientId, text, at, failed: false }] };
}

/** What somebody types, as far as it is. */
export function drafted(chat: Chat, draft: string): Chat {
  return { ...chat, draft };
}

/** The chat of another room, of which nothing is known yet. */
export function elsewhere(chat: Chat): Chat {
  return { ...EMPTY, draft: chat.draft };
}

export function confirmed(chat: Chat, clientId: string, message: Message): Chat {
  return {
    ...chat,
    messages: merged(chat.messages, [message]),
    pending: chat.pending.filter((p) => p.clientId !== clientId),
  };
}

export function failed(chat: Chat, clientId: string): Chat {
  return { ...chat, pending: chat.pending.map((p) => (p.clientId === clientId ? { ...p, failed: true } : p)) };
}

export function read(chat: Chat): Chat {
  return chat.unread === 0 ? chat : { ...chat, unread: 0 };
}

/** In the order of storing; each id once. */
function merged(known: readonly Message[], more: readonly Message[]): Message[] {
  const byId = new Map(known.map((message) => [message.id, message]));
  for (const message of more) byId.set(message.id, message);
  return [...byId.values()].sort((a, b) => a.id - b.id);
}
