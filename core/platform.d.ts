// biome-ignore-all lint/suspicious/noEmptyInterface: interfaces of one name merge, so these add nothing to the platform's
// biome-ignore-all lint/correctness/noUnusedVariables: interfaces that merge have the same type parameters

// The platform's types that the published declarations mention. They are for programs that compile without the DOM library
// or without @types/node; where either declares a type, these add nothing.

interface AbortSignal {}
interface Blob {}
interface BroadcastChannel {}
interface File extends Blob {}
interface LockManager {}
interface RTCConfiguration {}
interface RTCIceCandidateInit {}
interface RTCIceServer {}
interface RTCLocalSessionDescriptionInit {}
interface RTCSessionDescriptionInit {}
interface ReadableStream<R = any> {}
