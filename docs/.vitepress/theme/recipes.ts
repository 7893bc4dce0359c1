import type { Component } from "vue";

type Loader = () => Promise<{ readonly default: Component }>;

/** The components that pages show as demos. They also show their source. */
export const recipes: Readonly<Record<string, Loader>> = {
  chat: () => import("../../../examples/recipes/chat.vue"),
  cursors: () => import("../../../examples/recipes/cursors.vue"),
  "file-drop": () => import("../../../examples/recipes/file-drop.vue"),
  hello: () => import("../../../examples/recipes/hello.vue"),
  "invite-link": () => import("../../../examples/recipes/invite-link.vue"),
  "own-accounts": () => import("../../../examples/recipes/own-accounts.vue"),
  "shared-document": () => import("../../../examples/recipes/shared-document.vue"),
  "stay-signed-in": () => import("../../../examples/recipes/stay-signed-in.vue"),
  testing: () => import("../../../examples/recipes/testing.vue"),
};
