"""What knows no course: errors, results, files, text, hashes, pages."""
