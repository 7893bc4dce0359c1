import type { Theme } from "vitepress";
import { defineClientComponent } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { h } from "vue";
import "./style.css";

const Demo = defineClientComponent(() => import("./demo.vue"));

const theme: Theme = {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      "home-features-before": () => h("div", { class: "home-demo" }, h(Demo, { name: "hello" })),
    }),
  enhanceApp({ app }) {
    app.component("Demo", Demo);
  },
};

export default theme;
