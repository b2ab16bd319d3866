/** What time it is for the page: the gateway's clock, ticking once a second, or the moment that is looked at. */
import { computed, effect, signal } from '@preact/signals'

/** How far the gateway's clock is ahead of this machine's, in ms. */
const offset = signal(0)
const tick = signal(Date.now())

/** The time of the moment that is looked at, in ms; null: the page is live. */
export const pastTime = signal<number | null>(null)

/** Now, in ms: countdowns and ages read this. In the past it stands still at that moment. */
export const now = computed(() => pastTime.value ?? tick.value + offset.value)

/** A beat tells the gateway's time; small differences are the way of the message, not of the clocks. */
export function heardTime(time: string): void {
  const there = Date.parse(time)
  if (Number.isNaN(there)) return
  const off = there - Date.now()
  offset.value = Math.abs(off) > 2_000 ? off : 0
}

// Aligned to the second, so that all countdowns of a page change in the same frame, and asleep while nobody looks.
effect(() => {
  if (pastTime.value !== null) return
  let timer: ReturnType<typeof setTimeout>
  const run = () => {
    tick.value = Date.now()
    timer = setTimeout(run, 1_000 - (Date.now() % 1_000))
  }
  const look = () => {
    clearTimeout(timer)
    if (!document.hidden) run()
  }
  look()
  document.addEventListener('visibilitychange', look)
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  }
})
