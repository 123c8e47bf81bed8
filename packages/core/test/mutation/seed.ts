// The same random cases for each mutant: a test that noticed one by luck would not notice it the next time. None looks for a simpler one.
import fc from 'fast-check'

fc.configureGlobal({ seed: 1, endOnFailure: true })
