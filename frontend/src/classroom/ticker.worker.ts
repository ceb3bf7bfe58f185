/** One message a second. A worker's timers are not slowed down when the page is in the background. */
setInterval(() => postMessage(null), 1_000);
