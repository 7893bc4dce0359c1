import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { browserCommands } from "./tools/browser-commands.ts";
import { chromiumContext, chromiumLaunch } from "./tools/chromium.ts";

const away = ["**/node_modules/**", "**/dist/**"];
const elsewhere = ["**/*.{dom,browser,e2e}.test.{ts,tsx}", "tools/**"];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", environment: "node", include: ["**/*.test.{ts,tsx}"], exclude: [...away, ...elsewhere] },
      },
      {
        extends: true,
        test: { name: "dom", environment: "happy-dom", include: ["**/*.dom.test.{ts,tsx}"], exclude: away },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["**/*.browser.test.{ts,tsx}"],
          exclude: away,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: chromiumLaunch(), contextOptions: chromiumContext }),
            instances: [{ browser: "chromium" }],
            commands: browserCommands,
          },
        },
      },
      ...["arch"].map((name) => ({ extends: true as const, test: { name, include: [`tools/${name}.test.ts`] } })),
    ],
  },
});
