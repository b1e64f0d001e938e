// What to try first, on a card that stays until it is put away.
import { become, deed, why } from "./app.js";
import { byId, fill, h, iconButton } from "./dom.js";
import { log, remember, store } from "./store.js";
import { t } from "./words.js";
import { newcomer } from "./dialogs.js";
import { openTab } from "./side.js";

const FIRST = "colm"; // who has said enough for a match; in another community, somebody else

/** Draw the card, unless it was put away. */
export function drawBegin() {
  const place = byId("begin");
  const one = somebody();
  place.hidden = store.begun === "yes" || !one;
  if (place.hidden) return fill(place);
  place.setAttribute("aria-label", t("begin"));
  const doing = [
    [t("begin.match", { name: one.name.split(" ")[0] }), () => match(one.id)],
    [t("newcomer"), newcomer],
    [t("begin.why"), lately],
  ];
  fill(
    place,
    h("h3", {}, t("begin")),
    h("ol", {}, doing.map(([words, onclick]) => h("li", {}, h("button", { type: "button", class: "plain", onclick }, words)))),
    iconButton("close", t("close"), putAway),
  );
}

function somebody() {
  const people = [...store.members.values()].filter((one) => !one.bot && !one.rank && one.state === "here");
  return people.find((one) => one.id === FIRST) ?? people[0];
}

async function match(id) {
  if (store.me !== id) await become(id);
  await deed("use", { room: store.room, line: "/match" });
}

/** Tell of the bot's latest word here; where it has said nothing, say how it is asked. */
function lately() {
  const said = [...(log(store.room)?.messages.values() ?? [])].filter((one) => one.author === store.bot);
  return said.length ? why(said.at(-1).id) : openTab("why");
}

function putAway() {
  remember("begun", "yes");
  drawBegin();
}
