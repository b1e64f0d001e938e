// What opens over the page: choosing a member or a channel, newcomers, channels, and the list of keys.
import { become, deed, openRoom } from "./app.js";
import { arrive } from "./arrival.js";
import { avatar, byId, fill, h, icon, iconButton } from "./dom.js";
import { member, store } from "./store.js";
import { t } from "./words.js";
import { listedRooms } from "./channels.js";

function open(title, ...inside) {
  const dialog = byId("dialog");
  fill(dialog, h("header", {}, h("h2", { id: "dialog-title" }, title), iconButton("close", t("close"), () => dialog.close())), ...inside);
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close(); // a value of false would undo what the click does by itself
  };
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input, textarea")?.focus();
}

const close = () => byId("dialog").close();

/** Show a list that narrows as one types; `choose` gets the entry. */
function pick(title, placeholder, entries, choose, first = null) {
  const list = h("ul", { class: "pick", role: "listbox", id: "pick" });
  let shown = [], at = 0;
  const mark = () =>
    list.querySelectorAll("[role=option]").forEach((one, number) => {
      one.setAttribute("aria-selected", String(number === at));
      if (number === at) one.scrollIntoView({ block: "nearest" });
    });
  const narrow = (text) => {
    shown = entries.filter((one) => one.search.toLowerCase().includes(text.trim().toLowerCase()));
    at = 0;
    fill(list, shown.map((one) => h("li", { role: "option", "data-id": one.id, onclick: () => finish(one) }, one.picture, h("span", { class: "name" }, one.name), one.note && h("span", { class: "hint" }, one.note))));
    mark();
  };
  const finish = (one) => {
    close();
    choose(one.id);
  };
  const onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(shown.length, 1);
      mark();
    } else if (event.key === "Enter" && shown[at]) finish(shown[at]);
    else return;
    event.preventDefault();
  };
  const search = h("input", { type: "search", placeholder, "aria-label": placeholder, role: "combobox", "aria-controls": "pick", "aria-expanded": "true", oninput: (event) => narrow(event.target.value), onkeydown });
  narrow("");
  open(title, search, first, list);
}

/** Choose whom one is. */
export function chooseMember() {
  const people = [...store.members.values()].filter((one) => !one.bot).sort((a, b) => b.rank - a.rank || a.name.localeCompare(b.name));
  const entries = people.map((one) => ({
    id: one.id,
    name: one.name,
    search: `${one.name} ${one.id}`,
    picture: avatar(one, true),
    note: one.state === "here" ? (one.rank ? t(`rank.${one.rank}`) : "") : t(`state.${one.state}`),
  }));
  pick(t("choose_member"), t("search_member"), entries, (id) => become(id), h("button", { type: "button", class: "plain newcomer", onclick: newcomer }, icon("plus"), t("newcomer")));
}

/** Choose a channel by its name. */
export function chooseRoom() {
  const entries = listedRooms().map((one) => ({ id: one.id, name: one.name, search: `${one.name} ${one.description}`, picture: h("span", { class: "hash" }, one.audience === "direct" ? "@" : "#"), note: one.joined ? "" : t("join") }));
  pick(t("choose_room"), t("search_room"), entries, openRoom);
}

/** Come in as somebody new. */
export function newcomer() {
  const name = h("input", { name: "name", required: true, maxlength: 60, placeholder: t("newcomer.name"), "aria-label": t("newcomer.name") });
  const submit = async (event) => {
    event.preventDefault();
    const since = new Date().toISOString();
    const done = await deed("arrive", { name: name.value, language: store.language });
    if (!done) return;
    close();
    await arrive(done.made, since);
  };
  open(t("newcomer"), h("form", { class: "form", onsubmit: submit }, h("p", {}, t("newcomer.about")), name, h("button", { class: "main" }, t("newcomer.enter"))));
}

/** Make a channel, or change one. */
export function editChannel(room) {
  const name = h("input", { required: true, maxlength: 60, value: room?.name ?? "" });
  const description = h("textarea", { rows: 3, maxlength: 500 }, room?.description ?? "");
  const secret = h("input", { type: "checkbox", checked: room?.audience === "members" });
  const archived = h("input", { type: "checkbox", checked: room?.archived });
  const submit = async (event) => {
    event.preventDefault();
    const details = { name: name.value, description: description.value, private: secret.checked, archived: archived.checked };
    const done = await deed("arrange", { room: room?.id ?? "", ...details });
    if (done) close();
  };
  const label = (words, field) => h("label", { class: field.type === "checkbox" ? "check" : "" }, field.type === "checkbox" ? [field, words] : [words, field]);
  open(
    room ? t("channel.edit") : t("channel.new"),
    h("form", { class: "form", onsubmit: submit }, label(t("channel.name"), name), label(t("channel.description"), description), label(t("channel.private"), secret), room && label(t("channel.archived"), archived), h("button", { class: "main" }, t("save"))),
  );
}

const KEYS = [
  ["/", "keys.command"],
  ["Enter", "keys.send"],
  ["Shift+Enter", "keys.line"],
  ["↑", "keys.edit"],
  ["Alt+↑ / Alt+↓", "keys.channels"],
  ["Ctrl+K", "keys.switch"],
  ["Ctrl+U", "keys.member"],
  ["Esc", "keys.cancel"],
  ["?", "keys.help"],
];

/** Show which keys do what. */
export function showKeys() {
  open(t("keys"), h("dl", { class: "keys" }, KEYS.flatMap(([key, words]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(words))])));
}
