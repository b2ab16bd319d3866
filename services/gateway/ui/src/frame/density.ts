/** How high rows are. The style sheet's --row is the same two measures; a test keeps them so. */
import { effect } from '@preact/signals'
import { narrow } from '../parts/narrow.ts'
import { kept } from './kept.ts'

/** A row of one line, in px. */
export const ROW = 34
/** What a row loses where rows are compact, in px. */
const LESS = 6

/** 'compact', or '' for comfortable. Change it with `keep('density', …)`. */
export const density = kept('density')

/** The height of rows that are so high where they are comfortable. On a phone rows are for fingers, and stay as they are. */
export function rowOf(comfortable: number): number {
  return density.value && !narrow.value ? comfortable - LESS : comfortable
}

effect(() => {
  document.documentElement.dataset['density'] = density.value
})
