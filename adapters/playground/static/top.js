// The top bar: who one is, the language, the theme, and on a phone the doors to the panes at the sides.
import { speak } from "./app.js";
import { avatar, byId, fill, h, iconButton } from "./dom.js";
import { me, remember, store } from "./store.js";
import { t } from "./words.js";
import { chooseMember, showKeys } from "./dialogs.js";

/** Draw the top bar. */
export function drawTop() {
  fill(
    byId("top"),
    iconButton("menu", t("channels"), () => toggle("channels"), { class: "narrow" }),
    h("span", { class: "brand" }, h("img", { src: "/static/icon.svg", alt: "", class: "logo" }), h("span", { class: "wide" }, t("title"))),
    who(),
    h("span", { class: "spring" }),
    choice("language", t("language"), [["en", "English"], ["zh_CN", "中文"]], store.language, speak),
    choice("theme", t("theme"), ["auto", "light", "dark"].map((one) => [one, t(`theme.${one}`)]), store.theme, setTheme),
    iconButton("keys", t("keys"), showKeys, { class: "wide" }),
    iconButton("people", t("side"), () => toggle("side"), { class: "narrow" }),
  );
  byId("scrim").onclick = closeDrawers;
}

function who() {
  const one = me();
  return h(
    "button",
    { type: "button", class: "who", id: "who", "aria-haspopup": "dialog", onclick: chooseMember },
    one && avatar(one, true),
    h("span", { class: "wide label" }, t("you_are")),
    h("strong", {}, one ? one.name : "–"),
    one && one.rank > 0 && h("span", { class: "chip wide" }, t(`rank.${one.rank}`)),
  );
}

function choice(id, label, options, value, choose) {
  const select = h("select", { id, "aria-label": label, title: label, onchange: (event) => choose(event.target.value) });
  select.append(...options.map(([key, name]) => h("option", { value: key, selected: key === value }, name)));
  return select;
}

function setTheme(theme) {
  remember("theme", theme);
  document.documentElement.dataset.theme = theme;
}

/** Open or close a pane at the side of a phone. */
export function toggle(name) {
  const open = document.body.dataset.drawer === name ? "" : name;
  document.body.dataset.drawer = open;
  if (open) byId(open).querySelector("button, input")?.focus();
}

/** Close the panes at the sides. */
export function closeDrawers() {
  document.body.dataset.drawer = "";
}
