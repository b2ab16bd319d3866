/** What is computed of signals and of a component's own properties. */
import { type ReadonlySignal, computed } from '@preact/signals'
import { useMemo } from 'preact/hooks'

/** As `useComputed`, which keeps its value until a signal in it changes, whatever became of the properties: those that it reads are told in `of`. */
export function useTold<T>(compute: () => T, of: readonly unknown[]): ReadonlySignal<T> {
  return useMemo(() => computed(compute), of)
}
