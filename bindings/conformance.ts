import { describe, type TestContext, test } from "vitest";
import { called } from "./conformance/called.ts";
import type { Framework } from "./conformance/framework.ts";
import { letGo } from "./conformance/let-go.ts";
import { offered } from "./conformance/offered.ts";
import { type Behaviours, inScene } from "./conformance/scene.ts";
import { served } from "./conformance/served.ts";
import { shown } from "./conformance/shown.ts";

declare module "vitest" {
  interface TaskMeta {
    /** Whose behaviour this test is about. */
    binding?: string;
  }
}

const behaviours: Behaviours = { ...shown, ...called, ...offered, ...letGo, ...served };

/** What every binding does, whatever its framework. */
export function conforms(framework: Framework): void {
  describe(`the ${framework.name} binding`, () => {
    for (const [title, behaviour] of Object.entries(behaviours)) {
      test(title, { timeout: 30_000 }, async ({ task }: TestContext) => {
        task.meta.binding = framework.name;
        await inScene(framework, behaviour);
      });
    }
  });
}
