/** What every page may use: htmx under a strict content security policy, and a few data attributes. */
import "./site.css";
import htmx from "htmx.org";

import { startCopying } from "./site/copy";
import { startCountdowns } from "./site/countdown";
import { startDialogs, startDrops } from "./site/overlays";
import { startForms } from "./site/forms";
import { showCurrentTab } from "./site/tabs";
import { startTheme } from "./site/theme";

htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
// Pages hold personal data: no copies of them in the browser's storage.
htmx.config.historyCacheSize = 0;
htmx.config.refreshOnHistoryMiss = true;

startTheme();
startDrops();
startDialogs();
startCopying();
startForms();
showCurrentTab();
startCountdowns(document);
htmx.onLoad((element) => {
  if (element instanceof HTMLElement) startCountdowns(element);
});
