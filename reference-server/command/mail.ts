import { createTransport } from "nodemailer";
import type { ServerOptions } from "../server.ts";

/** Mails invitations through an SMTP server. Throws where the sender is missing. */
export function smtpMail(url: string, from: string | undefined): NonNullable<ServerOptions["mail"]> {
  if (from === undefined) throw new Error("--smtp needs --mail-from: who the invitations come from.");
  if (!/^smtps?:\/\//.test(url)) throw new Error("--smtp takes an smtp:// or smtps:// URL.");
  const transport = createTransport(url);
  return async (to, { link, expires }) => {
    await transport.sendMail({
      from,
      to,
      subject: "You are invited",
      text: `Somebody who knows you asks you in. Choose a password here:\n\n${link}\n\nThe link works once, until ${expires.toUTCString()}. If you expected nothing, do nothing.\n`,
    });
  };
}
