import "../site.css";
import "./room.css";

import { h, render } from "preact";

import { Api } from "./api";
import { App } from "./app";
import { readPage } from "./page";
import { listenToKeys } from "./shortcuts";
import { claimTab } from "./tab";
import { startTicker } from "./ticker";
import { Root } from "./views/root";

const page = readPage();
const lecture = page.data.lecture.id;
const sounds = document.createElement("div");
sounds.hidden = true;
document.body.append(sounds);

const app = new App(page, new Api(lecture, page.csrf), await claimTab(lecture), sounds, (drawn) =>
  render(h(Root, { app: drawn, model: drawn.model }), page.root),
);
page.root.replaceChildren();
app.start();
startTicker(app.tick);
listenToKeys(app);
addEventListener("online", () => app.dispatch({ is: "online" }));
addEventListener("pagehide", app.goingAway);
addEventListener("pageshow", (event) => event.persisted && app.returned());
document.addEventListener("visibilitychange", app.seenOrHidden);
