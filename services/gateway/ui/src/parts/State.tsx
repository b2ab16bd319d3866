/** States of versions, jobs and verifications in the one vocabulary of status: the shape and colour of a status, their own word. */
import type { Status as Value } from '../board/types.ts'
import { Glyph } from './base.tsx'
import { jobStatus, spelt, verificationStatus, versionStatus } from './states.ts'

function State({ status, word, pill }: { status: Value; word: string; pill: boolean | undefined }) {
  return (
    <span class={pill ? 'status pill' : 'status'} data-st={status}>
      <Glyph status={status} />
      {word}
    </span>
  )
}

export function VersionState({ state, pill }: { state: string; pill?: boolean }) {
  return <State status={versionStatus(state)} word={state === 'unspecified' ? 'no status' : state} pill={pill} />
}

export function JobState({ state, pill }: { state: string; pill?: boolean }) {
  return <State status={jobStatus(state)} word={spelt(state)} pill={pill} />
}

export function VerificationState({ state, pill }: { state: string; pill?: boolean }) {
  return <State status={verificationStatus(state)} word={state} pill={pill} />
}
