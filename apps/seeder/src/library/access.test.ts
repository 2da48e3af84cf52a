import { afterEach, beforeEach, expect, test } from 'vitest'
import { digest, put, tempFolder } from './fixtures/item.ts'
import { type Library, openLibrary } from './index.ts'

let folder: Awaited<ReturnType<typeof tempFolder>>
let library: Library
