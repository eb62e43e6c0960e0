; The installer for Windows, compiled by tools/windows_package.py with Inno Setup 6.
; Handed in: Version; Package, the program's folder; Sign, the name of a signing tool, if there is one.
#define Name "LiverSeg"
#define Window "liverseg-window.exe"
#define Scan "LiverSeg.Scan"

[Setup]
AppId={{6F0B6E0A-5B0C-4D57-9C5B-3E7A5B6D41C2}
AppName={#Name}
AppVersion={#Version}
AppPublisher={#Name}
; For the user alone, who needs no rights for it; /ALLUSERS or the first page changes that.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog commandline
DefaultDirName={autopf}\{#Name}
DisableProgramGroupPage=yes
LicenseFile={#Package}\_internal\LICENSE
SetupIconFile=liverseg.ico
UninstallDisplayIcon={app}\{#Window}
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
Compression=lzma2/fast
SolidCompression=yes
ChangesAssociations=yes
CloseApplications=yes
#ifdef Sign
SignTool={#Sign}
#endif

[Tasks]
Name: associate; Description: "Offer {#Name} under ""Open with"" for DICOM, NIfTI, NRRD and MetaImage files"
Name: desktopicon; Description: "Put an icon on the desktop"; Flags: unchecked

[InstallDelete]
; An older version's files, which would be found instead of newer ones.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Package}\*"; DestDir: "{app}"; Flags: recursesubdirs createallsubdirs ignoreversion

[Icons]
Name: "{autoprograms}\{#Name}"; Filename: "{app}\{#Window}"; AppUserModelID: "LiverSeg.LiverSeg"
Name: "{autodesktop}\{#Name}"; Filename: "{app}\{#Window}"; AppUserModelID: "LiverSeg.LiverSeg"; Tasks: desktopicon

[Registry]
; Offered, and never made the default: that choice is the user's. The ending of .nii.gz is .gz here.
Root: HKA; Subkey: "Software\Classes\{#Scan}"; ValueType: string; ValueData: "{#Name} scan"; Flags: uninsdeletekey; Tasks: associate
Root: HKA; Subkey: "Software\Classes\{#Scan}\DefaultIcon"; ValueType: string; ValueData: "{app}\{#Window},0"; Tasks: associate
Root: HKA; Subkey: "Software\Classes\{#Scan}\shell\open\command"; ValueType: string; ValueData: """{app}\{#Window}"" ""%1"""; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.dcm\OpenWithProgids"; ValueType: none; ValueName: "{#Scan}"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.nii\OpenWithProgids"; ValueType: none; ValueName: "{#Scan}"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.gz\OpenWithProgids"; ValueType: none; ValueName: "{#Scan}"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.nrrd\OpenWithProgids"; ValueType: none; ValueName: "{#Scan}"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.nhdr\OpenWithProgids"; ValueType: none; ValueName: "{#Scan}"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.mha\OpenWithProgids"; ValueType: none; ValueName: "{#Scan}"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.mhd\OpenWithProgids"; ValueType: none; ValueName: "{#Scan}"; Flags: uninsdeletevalue; Tasks: associate

[Run]
Filename: "{app}\{#Window}"; Description: "Start {#Name}"; Flags: postinstall nowait skipifsilent
