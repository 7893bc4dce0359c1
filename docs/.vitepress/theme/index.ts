import type { Theme } from "vitepress";
import { defineClientComponent } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import "./style.css";

const theme: Theme = {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component(
      "Demo",
      defineClientComponent(() => import("./demo.vue")),
    );
  },
};

export default theme;
