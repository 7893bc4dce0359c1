import { useTrust } from "bonevalue/react";
import { type ReactElement, useState } from "react";
import { Card, Problem, type ViewProps } from "./card.tsx";

/** Enters the code of a friend, or of another device: this only after a question, since the other device gets full access. */
export function EnterCode({ alias, close }: ViewProps): ReactElement {
  const { claimToken, pending, error } = useTrust();
  const [code, setCode] = useState("");
  const [isConfirming, setConfirming] = useState(false);
  const isForDevice = alias === "Us";

  async function claim() {
    if (await claimToken(alias, code)) close();
    else setConfirming(false);
  }

  if (isConfirming) {
    return (
      <Card
        title="Is the code on a device of your own?"
        back="No, stop"
        close={close}
        actions={
          <button type="button" disabled={pending} onClick={claim}>
            {pending ? "Linking …" : "Yes, it is my device"}
          </button>
        }
      >
        <p>The device that shows the code can then do everything in your name.</p>
        <p>If somebody has sent you the code, or tells you to enter it, stop here.</p>
      </Card>
    );
  }
  return (
    <Card
      title={isForDevice ? "The code of your other device" : `${alias}’s code`}
      back="Back"
      close={close}
      actions={
        <button type="submit" form="enter-code" disabled={pending}>
          {isForDevice ? "Next" : `Verify ${alias}`}
        </button>
      }
    >
      {isForDevice ? (
        <p>On your other device choose “Show a code”. Leave it open.</p>
      ) : (
        <p>
          Let {alias} choose “Show a code”. Take it from {alias}, not from somebody else.
        </p>
      )}
      <form id="enter-code" action={() => (isForDevice ? setConfirming(true) : claim())}>
        <input
          aria-label="Code"
          placeholder="Code"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          required
          value={code}
          onChange={({ target }) => setCode(target.value.replaceAll(/\s/g, ""))}
        />
      </form>
      <Problem error={error} />
    </Card>
  );
}
