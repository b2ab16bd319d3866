/** What somebody is asked before it is done; null: nothing. The dialog that asks is loaded with what asks. */
import { signal } from '@preact/signals'
import type { Confirmation } from './Dialog.tsx'

export const asked = signal<Confirmation | null>(null)
