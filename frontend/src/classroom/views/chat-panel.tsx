import { Send } from "lucide";
import type { ComponentChild } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";

import type { Message, Pending } from "../chat";
import { clockOf, say, type View } from "./common";
import { Icon } from "./icon";

export function ChatPanel({ app, model }: View) {
  const { messages, pending } = model.chat;
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = list.current;
    // Whoever reads further up is not pulled away by a new message.
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [messages, pending]);
  const follow = (event: Event): void => {
    const element = event.currentTarget as HTMLElement;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
  };
  const stored = useMemo(() => messages.map((message) => <Stored key={message.id} app={app} message={message} />), [messages]);
  return (
    <div class="talk" ref={list} onScroll={follow} role="log" aria-label={say(app, "chat")} data-testid="chat" tabIndex={0}>
      {messages.length + pending.length === 0 && <p class="panel-empty">{say(app, "chat_empty")}</p>}
      <ol>
        {stored}
        {pending.map((one) => <Sending key={one.clientId} app={app} model={model} pending={one} />)}
      </ol>
    </div>
  );
}

function Stored({ app, message }: { app: View["app"]; message: Message }): ComponentChild {
  const name = message.seat === app.ownSeat ? say(app, "you") : message.name;
  return (
    <li class="chat-line" data-testid="message" data-message={message.id}>
      <p class="chat-who"><b data-role={message.role}>{name}</b> <time>{clockOf(app, message.at)}</time></p>
      <p class="chat-text">{message.text}</p>
    </li>
  );
}

function Sending({ app, pending }: View & { pending: Pending }) {
  return (
    <li class="chat-line chat-pending" data-testid="pending-message">
      <p class="chat-who"><b>{say(app, "you")}</b> <span>{say(app, pending.failed ? "not_sent" : "sending")}</span></p>
      <p class="chat-text">{pending.text}</p>
      {pending.failed && (
        <button type="button" class="btn btn-xs" data-testid="resend" onClick={() => void app.say(pending.text, pending.clientId)}>
          {say(app, "send_again")}
        </button>
      )}
    </li>
  );
}

export function Composer({ app, model }: View) {
  const { draft } = model.chat;
  const send = (event: Event): void => {
    event.preventDefault();
    void app.say(draft);
    app.draft("");
  };
  return (
    <form class="composer" onSubmit={send}>
      <input
        class="input"
        data-testid="chat-input"
        type="text"
        autocomplete="off"
        enterkeyhint="send"
        maxLength={2000}
        value={draft}
        placeholder={say(app, "write")}
        aria-label={say(app, "write")}
        aria-keyshortcuts="Alt+C"
        onInput={(event) => app.draft(event.currentTarget.value)}
      />
      {draft.trim() !== "" && (
        <button type="submit" class="btn btn-circle btn-primary" data-testid="chat-send" aria-label={say(app, "send")}>
          <Icon of={Send} size={18} />
        </button>
      )}
    </form>
  );
}
