/** What a STUN or TURN server refused with, or that it could not be reached, as one line. */
export function describeIceError({ url, errorCode, errorText }: RTCPeerConnectionIceErrorEvent): string {
  return `${url}: ${errorCode} ${errorText}`.trim();
}
