import { createPlatformAlgorithms } from "./algorithms.ts";
import { createFallbackAlgorithms } from "./fallback-algorithms.ts";
import { testVectors } from "./testing/vector-tests.ts";

testVectors("WebCrypto in Chromium", async () => createPlatformAlgorithms(crypto.subtle));
testVectors("@noble in Chromium", async () => createFallbackAlgorithms());
