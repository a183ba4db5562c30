// Linked with one library of ours, whole, and what that library itself asks for: if this links, the library needs no
// more than it says. The include scan guards the headers; this guards the rest.
int main() { return 0; }
