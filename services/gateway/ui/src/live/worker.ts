/** The shared worker: one per browser, so that twelve tabs take one of the six connections that HTTP/1.1 allows, not twelve. */
import { Hub, type Listener, type ToHub } from './hub.ts'

const hub = new Hub()
const scope = globalThis as unknown as { onconnect: ((event: MessageEvent) => void) | null }

scope.onconnect = ({ ports: [port] }) => {
  if (!port) return
  const listener: Listener = { post: (message) => port.postMessage(message) }
  port.onmessage = ({ data }: MessageEvent<ToHub | { kind: 'alive'; lock: string }>) => {
    if (data.kind !== 'alive') return hub.take(listener, data)
    // A tab holds a lock while it lives: a tab that crashed says no goodbye, but lets go of its lock.
    void navigator.locks?.request(data.lock, () => hub.take(listener, { kind: 'bye' }))
  }
}
