/** A part that is loaded when it is first shown. */
import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentType } from 'preact'

type Load<P> = () => Promise<{ default: ComponentType<P> }>

/** What was loaded stays: a second look needs no wait, not even a short one. */
const loaded = new Map<Load<never>, ComponentType<never>>()

export function Lazy<P extends object>({ load, props, failed }: { load: Load<P>; props?: P; failed?: (failure: unknown) => void }) {
  const there = useSignal(0)
  useSignalEffect(() => {
    if (loaded.has(load as unknown as Load<never>)) return
    load().then(
      (module) => {
        loaded.set(load as unknown as Load<never>, module.default as unknown as ComponentType<never>)
        there.value += 1
      },
      (failure: unknown) => failed?.(failure),
    )
  })
  void there.value
  const Part = loaded.get(load as unknown as Load<never>) as unknown as ComponentType<P> | undefined
  return Part ? <Part {...((props ?? {}) as P)} /> : null
}
