//! XML and WBXML read and written as one stream of elements and text.
