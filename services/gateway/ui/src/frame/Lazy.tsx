/** A part that is loaded when it is first shown. */
import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentType } from 'preact'
import { ApiError } from '../api/error.ts'
import { ErrorCard } from '../parts/say.tsx'

type Load<P> = () => Promise<{ default: ComponentType<P> }>

/** What was loaded stays: a second look needs no wait, not even a short one. */
const loaded = new Map<Load<never>, ComponentType<never>>()

/** Files of an older page go when the gateway is renewed; a browser asks for one that failed only once, so that only loading the page helps. */
export const NOT_LOADED = 'could not be loaded: the network is away, or the gateway was renewed meanwhile.'

/** `failed` is told when it can not be loaded; without it that stands in its place. */
export function Lazy<P extends object>({ load, props, failed }: { load: Load<P>; props?: P; failed?: (failure: unknown) => void }) {
  const there = useSignal(0)
  const missing = useSignal(false)
  useSignalEffect(() => {
    if (loaded.has(load as unknown as Load<never>)) return
    load().then(
      (module) => {
        loaded.set(load as unknown as Load<never>, module.default as unknown as ComponentType<never>)
        there.value += 1
      },
      (failure: unknown) => (failed ? failed(failure) : (missing.value = true)),
    )
  })
  void there.value
  if (missing.value) return <ErrorCard error={new ApiError(0, `This part ${NOT_LOADED}`)} retry={() => location.reload()} verb="Load the page again" />
  const Part = loaded.get(load as unknown as Load<never>) as unknown as ComponentType<P> | undefined
  return Part ? <Part {...((props ?? {}) as P)} /> : null
}
