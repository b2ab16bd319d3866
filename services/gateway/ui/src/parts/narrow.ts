/** Whether the page is as narrow as a phone's: lists show less in taller rows. */
import { signal } from '@preact/signals'

const narrowly = matchMedia('(max-width: 760px)')
export const narrow = signal(narrowly.matches)
narrowly.addEventListener('change', () => (narrow.value = narrowly.matches))
