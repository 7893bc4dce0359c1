import TwoslashFloatingVue from "@shikijs/vitepress-twoslash/client";
import type { Theme } from "vitepress";
import { defineClientComponent, useRoute } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { h, onMounted, watch } from "vue";
import "@shikijs/vitepress-twoslash/style.css";
import "./style.css";

const Demo = defineClientComponent(() => import("./demo.vue"));

/** Scrolls the sidebar to the item of the page, once its group has opened. */
function showActiveItem(): void {
  requestAnimationFrame(() => document.querySelector(".VPSidebarItem.is-active")?.scrollIntoView({ block: "center" }));
}

const theme: Theme = {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      "home-features-before": () => h("div", { class: "home-demo" }, h(Demo, { name: "hello" })),
    }),
  setup() {
    const route = useRoute();
    onMounted(() => watch(() => route.path, showActiveItem, { immediate: true }));
  },
  enhanceApp({ app }) {
    app.component("Demo", Demo);
    app.use(TwoslashFloatingVue);
  },
};

export default theme;
