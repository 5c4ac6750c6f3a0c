"""The parts that do not depend on a course: errors, results, files, text, hashes, pages."""
