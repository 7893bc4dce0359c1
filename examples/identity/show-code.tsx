import { useIdentity, useIdentityOf, useTrust } from "bonevalue/react";
import { type ReactElement, useEffect, useState } from "react";
import { Card, Problem, type ViewProps } from "./card.tsx";
import { QrCode } from "./qr-code.tsx";

/** Shows a code for a friend, or for another device, until it is used. */
export function ShowCode({ alias, close }: ViewProps): ReactElement {
  const { requestToken, error } = useTrust();
  const [code, setCode] = useState<{ readonly token: string; readonly expires: Date }>();
  const devices = useIdentity()?.devices.length ?? 0;
  const [devicesBefore] = useState(devices);
  const isVerified = useIdentityOf(alias).status === "verified";
  const isForDevice = alias === "Us";

  useEffect(() => {
    let isClosed = false;
    requestToken(alias).then((made) => isClosed || setCode(made));
    return () => {
      isClosed = true;
    };
  }, [alias, requestToken]);

  if (isForDevice && devices > devicesBefore) {
    return (
      <Card title="The two devices are linked" back="Done" close={close}>
        <p>Your friends know both of them as you.</p>
      </Card>
    );
  }
  if (!isForDevice && isVerified) {
    return (
      <Card title={`${alias} is verified`} back="Done" close={close}>
        <p>From now on nobody else can pretend to be {alias}.</p>
      </Card>
    );
  }
  return (
    <Card
      title={isForDevice ? "A code for your other device" : `A code for ${alias}`}
      back="Back"
      close={close}
      actions={
        code && (
          <button type="button" onClick={() => navigator.clipboard.writeText(code.token)}>
            Copy the code
          </button>
        )
      }
    >
      {isForDevice ? (
        <p>On your other device choose “Enter a code”, and scan or type this one. Do not show it to anybody.</p>
      ) : (
        <p>
          Let {alias} choose “Enter a code”, and scan or type this one. If you are not together, send it in another app
          that you trust.
        </p>
      )}
      {code && (
        <>
          <QrCode text={code.token} />
          <output className="code" aria-label="The code">
            {code.token}
          </output>
          <small>
            It works once, until {code.expires.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.
          </small>
        </>
      )}
      <Problem error={error} />
    </Card>
  );
}
