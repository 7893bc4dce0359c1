import { useIdentityOf, usePeers, useTrust } from "bonevalue/react";
import { type ReactElement, useState } from "react";
import { Card, Problem, type ViewProps } from "./card.tsx";

/** Shows the number that two friends compare. It is the same on both sides unless somebody is between them. */
export function CompareNumbers({ alias, close }: ViewProps): ReactElement {
  const { acceptIdentity, pending, error } = useTrust();
  const { account, safetyNumber } = useIdentityOf(alias);
  const isOnline = usePeers({ user: alias }).length > 0;
  const [differ, setDiffer] = useState(false);

  if (differ) {
    return (
      <Card title="Somebody may be between you" back="Back" close={close}>
        <p>
          Do not write anything private here. Check once more that both of you look at the numbers of each other. If
          they still differ, meet {alias}, and verify with a code.
        </p>
      </Card>
    );
  }
  if (account === undefined || safetyNumber === undefined) {
    return (
      <Card title={`No numbers for ${alias} yet`} back="Back" close={close}>
        <p>
          {isOnline
            ? `Verify ${alias} with a code instead.`
            : `They appear when ${alias} is online. A code works at any time.`}
        </p>
      </Card>
    );
  }

  async function accept(shown: string) {
    if (await acceptIdentity(alias, shown)) close();
  }

  return (
    <Card
      title={`Compare numbers with ${alias}`}
      back="Back"
      close={close}
      actions={
        <>
          <button type="button" disabled={pending} onClick={() => accept(account)}>
            They match
          </button>
          <button type="button" className="quiet" onClick={() => setDiffer(true)}>
            They differ
          </button>
        </>
      }
    >
      <p>
        Sit together, or talk on the phone. {alias} chooses “Compare numbers”, too, and one of you reads them aloud.
      </p>
      <ol className="numbers" aria-label="Numbers">
        {safetyNumber.split(" ").map((group, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two groups can be equal.
          <li key={index}>{group}</li>
        ))}
      </ol>
      <Problem error={error} />
    </Card>
  );
}
