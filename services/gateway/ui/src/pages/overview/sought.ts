/** A cell of the matrix that somebody is to be brought to, by its key; '' for none. */
import { signal } from '@preact/signals'

export const sought = signal('')
